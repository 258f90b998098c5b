"""Which addresses may be asked, and how pages and services hang on them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import PlatformError
from hub.lti.addresses import Elsewhere, asking, below, host_of, next_page, require_host

SEGMENT = st.text("abcXYZ019-._~%:@!$'()*+,;", min_size=1, max_size=12)
URLS = st.builds(
    lambda host, port, path, query: f"https://{host}{port}/{'/'.join(path)}{query}",
    st.sampled_from(["lms.test", "LMS.Test", "127.0.0.1", "[::1]"]),
    st.sampled_from(["", ":443", ":8443"]),
    st.lists(SEGMENT, max_size=4),
    st.sampled_from(["", "?type_id=2", "?A=b&c=%20"]),
)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://lms.test/x", "lms.test"),
        ("https://LMS.test:443/x", "lms.test"),
        ("https://lms.test:8443/x", "lms.test:8443"),
        ("http://127.0.0.1:8000/x", "127.0.0.1:8000"),
        ("http://[::1]:8000/x", "[::1]:8000"),
        ("http://localhost/x", "localhost"),
    ],
)
def test_hosts(url: str, host: str) -> None:
    assert host_of(url) == host
    assert require_host(url, {host}, "it") == url
    with pytest.raises(Elsewhere, match="isn't registered"):
        require_host(url, {"else.test"}, "it")


@pytest.mark.parametrize(
    "url",
    [
        *("", "lms.test", "/x", "//lms.test/x", "ftp://lms.test/x", "http://lms.test/x", "https:///x"),
        *("https://a@lms.test/x", "https://a:b@lms.test/", "https://lms.test/#x", "https://lms.test/a b"),
        *(
            "https://lms.test\\@else.test/",
            "https://lms.test/\n",
            "https://lms.test:x/",
            "https://lms.test:0/",
        ),
        *(
            "https://lms.tést/",
            "https://-lms.test/",
            "https://lms_.test/",
            "https://[::1/",
            "https://" + "a" * 3000,
        ),
        *("http://127.0.0.1.else.test/", "http://[::2]/", "http://127.1/", "http://2130706433/"),
    ],
)
def test_what_is_no_address_for_a_token(url: str) -> None:
    with pytest.raises(Elsewhere):
        host_of(url)


@given(URLS, st.sampled_from(["scores", "results"]))
def test_a_service_is_below_the_path_and_keeps_case_and_query(url: str, name: str) -> None:
    found, before = urlsplit(below(url, name)), urlsplit(url)
    assert (found.scheme, found.netloc, found.query) == (before.scheme, before.netloc, before.query)
    assert found.path == before.path.rstrip("/") + "/" + name


@given(URLS, st.text(min_size=1, max_size=20))
def test_what_is_asked_is_added_to_the_query(url: str, value: str) -> None:
    found = parse_qsl(urlsplit(asking(url, resource_id=value)).query, keep_blank_values=True)
    assert found == [*parse_qsl(urlsplit(url).query, keep_blank_values=True), ("resource_id", value)]


@pytest.mark.parametrize(
    "link",
    [
        '<https://lms.test/p?a=1&b=2>; rel="next"',
        "<https://lms.test/p?a=1&b=2>; rel=next",
        "<https://lms.test/p?a=1&amp;b=2>; rel=“next”".encode().decode("latin-1"),
        "<https://lms.test/p?a=1&b=2>; rel=„next“",
        '<https://lms.test/first>; rel="first", <https://lms.test/p?a=1&b=2>; rel="next"',
        '<https://lms.test/p?a=1&b=2>; title="x"; rel="next last"',
        "<https://lms.test/p?a=1&b=2>;rel=Next",
    ],
)
def test_the_next_page(link: str) -> None:
    assert next_page(link) == "https://lms.test/p?a=1&b=2"


@pytest.mark.parametrize("link", ["", '<https://lms.test/p>; rel="prev"', "<https://lms.test/p>"])
def test_no_next_page(link: str) -> None:
    assert next_page(link) == ""


@given(st.text(max_size=60))
def test_any_header_is_a_page_or_an_error_of_ours(link: str) -> None:
    try:
        found = next_page(link)
    except PlatformError:
        return
    assert found == "" or found in link.replace("&amp;", "&") or found in link
