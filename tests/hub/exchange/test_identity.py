"""Who asks, and which pages they reach: logins, tokens, and requests that other pages forge."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from jupyterhub.services import auth as hub_auth
from jupyterhub.services.auth import HubOAuth
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from hub.exchange.exchange import Exchange
from hub.exchange.guard import require
from hub.exchange.identity import CACHE_SECONDS, HubIdentity
from hub.exchange.records import Member, Role
from tests.hub.exchange.course import small_course
from tests.hub.exchange.serving import ACCESS, PREFIX, Hub, path_of

COOKIE = "service-course"
NAVIGATE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}
SCRIPT = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}


@require()
async def page(request: Request) -> Response:
    return JSONResponse({"name": request.state.member.name, "xsrf": request.state.xsrf})


@require(Role.INSTRUCTOR)
async def staff_page(request: Request) -> Response:
    return JSONResponse({"name": request.state.member.name, "xsrf": request.state.xsrf})


@require()
async def change(request: Request) -> Response:
    form = await request.form()
    return JSONResponse({"name": request.state.member.name, "word": str(form.get("word"))})


@dataclass(frozen=True)
class Pages:
    """Guarded pages in a real server, and its hub."""

    hub: Hub
    url: str

    def browser(self, name: str | None = None) -> httpx.Client:
        """A browser; logged in where a name is given."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)
        if name is not None:
            client.cookies.set(COOKIE, self.hub.token(name))
        return client


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("pages")
    with Hub() as hub, Exchange(small_course(folder), folder) as exchange:
        exchange.enrol([Member("alan", Role.INSTRUCTOR)])
        identity = HubIdentity(exchange, client(hub))
        routes = [
            Route("/", page),
            Route("/staff", staff_page, methods=["GET", "POST"]),
            Route("/change", change, methods=["POST"]),
            *identity.routes,
        ]
        app = Starlette(routes=[Mount(PREFIX.rstrip("/"), routes=routes)])
        app.state.identity, app.state.xsrf_key = identity, exchange.secret("xsrf")
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()  # connections wait in the socket until the server is ready
        yield Pages(hub, f"http://127.0.0.1:{listening.getsockname()[1]}")
        server.should_exit = True
        thread.join(30)
        listening.close()


def client(hub: Hub) -> HubOAuth:
    return HubOAuth(
        api_url=hub.api,
        api_token="service-token",
        oauth_client_id=COOKIE,
        base_url=PREFIX,
        hub_prefix="/hub/",
        access_scopes={"access:services", ACCESS},
        cache_max_age=CACHE_SECONDS,
    )


def begin(browser: httpx.Client, path: str = PREFIX) -> dict[str, str]:
    """Opens a page and is sent to the hub: what the hub is told."""
    answer = browser.get(path, headers=NAVIGATE)
    assert answer.status_code == 302
    target = urlsplit(answer.headers["Location"])
    assert target.path == "/hub/api/oauth2/authorize"
    return {name: value[0] for name, value in parse_qs(target.query).items()}


def finish(browser: httpx.Client, state: str, code: str) -> httpx.Response:
    return browser.get(f"{PREFIX}oauth_callback", params={"state": state, "code": code}, headers=NAVIGATE)


def test_a_login_leads_back_to_the_page_that_was_asked_for(pages: Pages) -> None:
    with pages.browser() as browser:
        told = begin(browser, f"{PREFIX}?filter=a%20b")
        assert told["client_id"] == COOKIE
        assert told["redirect_uri"] == f"{PREFIX}oauth_callback"
        assert told["code_challenge_method"] == "S256"
        answer = finish(browser, told["state"], pages.hub.code("ada"))
        assert path_of(answer.headers["Location"]) == f"{PREFIX}?filter=a%20b"
        cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{COOKIE}="))
        assert all(word in cookie for word in ("HttpOnly", f"Path={PREFIX}", "SameSite=lax"))
        assert browser.get(PREFIX, headers=NAVIGATE).json()["name"] == "ada"


def test_cookies_are_secure_behind_tls(pages: Pages, tmp_path: Path) -> None:
    with pages.browser() as browser:
        answer = browser.get(PREFIX, headers={**NAVIGATE, "X-Forwarded-Proto": "https"})
        assert "Secure" in answer.headers["set-cookie"]
        assert "Secure" not in browser.get(PREFIX, headers=NAVIGATE).headers["set-cookie"]


def test_a_login_that_was_begun_elsewhere_is_refused(pages: Pages) -> None:
    with pages.browser() as browser, pages.browser() as victim:
        told = begin(browser)
        code = pages.hub.code("mallory")
        assert finish(victim, told["state"], code).status_code == 403
        begin(victim)
        assert finish(victim, told["state"], code).status_code == 403
        assert finish(browser, "", code).status_code == 403
        assert finish(browser, "ä", code).status_code == 403
        assert victim.cookies.get(COOKIE) is None


@pytest.mark.parametrize("cookie", ["", "x", "e30=.e30=", "....", "ä"])
def test_a_login_cookie_that_we_did_not_write_is_none(pages: Pages, cookie: str) -> None:
    with pages.browser() as browser:
        header = [(b"Cookie", f"{COOKIE}-login={cookie}".encode())]
        answer = browser.get(f"{PREFIX}oauth_callback?state=x&code={'0' * 32}", headers=header)
        assert answer.status_code == 403


def test_a_code_that_the_hub_does_not_know_is_refused(pages: Pages) -> None:
    with pages.browser() as browser:
        code = pages.hub.code("ada")
        assert finish(browser, begin(browser)["state"], "0" * 32).status_code == 403
        assert finish(browser, begin(browser)["state"], code).status_code == 302
        browser.cookies.clear()
        assert finish(browser, begin(browser)["state"], code).status_code == 403


def test_who_may_not_use_the_service_is_told_so_and_not_sent_round_in_circles(pages: Pages) -> None:
    with pages.browser() as browser:
        code = pages.hub.code("ada")
        pages.hub.tokens[pages.hub.codes[code]]["scopes"] = ["identify"]
        assert finish(browser, begin(browser)["state"], code).status_code == 403


def test_the_way_back_is_never_another_site(pages: Pages) -> None:
    with pages.browser() as browser:
        for path in (f"//evil.example{PREFIX}", f"{PREFIX}..//evil.example", "/hub/home"):
            answer = browser.get(path, headers=NAVIGATE)
            assert answer.status_code in (302, 404)
            if answer.status_code == 302:
                state = parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]
                back = finish(browser, state, pages.hub.code("ada")).headers["Location"]
                assert urlsplit(back).netloc in ("", urlsplit(pages.url).netloc)
                assert urlsplit(back).path.startswith(PREFIX)
                browser.cookies.clear()


def test_a_revoked_token_stops_within_a_minute(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CACHE_SECONDS < 60
    now = time.monotonic()
    monkeypatch.setattr(hub_auth, "time", SimpleNamespace(monotonic=lambda: now))
    with pages.browser("ada") as browser:
        asked = pages.hub.asked
        assert [browser.get(PREFIX, headers=NAVIGATE).status_code for _ in range(3)] == [200] * 3
        assert pages.hub.asked == asked + 1
        pages.hub.tokens.clear()
        now += CACHE_SECONDS + 1
        assert browser.get(PREFIX, headers=NAVIGATE).status_code == 302


def test_logout_forgets_the_token(pages: Pages) -> None:
    with pages.browser() as browser:
        finish(browser, begin(browser)["state"], pages.hub.code("ada"))
        answer = browser.get(f"{PREFIX}logout", headers=NAVIGATE)
        assert answer.headers["Location"] == "/hub/logout"
        assert browser.get(PREFIX, headers=NAVIGATE).status_code == 302


def test_roles_come_from_the_roster(pages: Pages) -> None:
    for name, status in (("alan", 200), ("ada", 403)):
        with pages.browser(name) as browser:
            assert browser.get(f"{PREFIX}staff", headers=NAVIGATE).status_code == status
    with pages.browser() as nobody:
        assert nobody.get(f"{PREFIX}staff", headers=NAVIGATE).status_code == 302
        assert nobody.get(f"{PREFIX}staff", headers=SCRIPT).status_code == 401
        assert nobody.post(f"{PREFIX}staff").status_code == 401


def xsrf(browser: httpx.Client) -> str:
    token: str = browser.get(PREFIX, headers=NAVIGATE).json()["xsrf"]
    return token


def test_a_form_with_the_pages_token_changes_something(pages: Pages) -> None:
    with pages.browser("ada") as browser:
        token = xsrf(browser)
        for given in (
            {"data": {"_xsrf": token, "word": "yes"}},
            {"data": {"word": "yes"}, "headers": {"X-XSRFToken": token}},
            {"data": {"word": "yes"}, "params": {"_xsrf": token}},
            {"files": {"word": (None, "yes"), "_xsrf": (None, token)}},
        ):
            answer = browser.post(f"{PREFIX}change", **given)
            assert answer.json() == {"name": "ada", "word": "yes"}


def test_a_forged_form_changes_nothing(pages: Pages) -> None:
    with pages.browser("ada") as browser, pages.browser("mallory") as mallory, pages.browser("ada") as other:
        token, theirs, another_login = xsrf(browser), xsrf(mallory), xsrf(other)
        for sent in ("", "x", "ä", theirs, another_login):
            assert browser.post(f"{PREFIX}change", data={"_xsrf": sent}).status_code == 403
        assert browser.post(f"{PREFIX}change").status_code == 403
        browser.cookies.set("_xsrf", token)
        assert browser.post(f"{PREFIX}change", content=json.dumps({"_xsrf": token})).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Dest": "iframe"},
    ],
)
def test_another_sites_request_is_refused_even_with_the_token(pages: Pages, headers: dict[str, str]) -> None:
    with pages.browser("ada") as browser:
        sent = {"_xsrf": xsrf(browser)}
        assert browser.post(f"{PREFIX}change", data=sent, headers=headers).status_code == 403


def test_a_script_of_another_page_reads_nothing(pages: Pages) -> None:
    with pages.browser("ada") as browser:
        token = xsrf(browser)
        assert browser.get(PREFIX, headers=SCRIPT).status_code == 403
        assert browser.get(PREFIX, headers={**NAVIGATE, "Sec-Fetch-Dest": "iframe"}).status_code == 403
        assert browser.get(PREFIX, headers={**SCRIPT, "X-XSRFToken": token}).status_code == 200
        assert browser.get(PREFIX, params={"_xsrf": token}, headers=SCRIPT).status_code == 200


def test_a_token_in_the_header_needs_no_form_token_and_ignores_the_cookie(pages: Pages) -> None:
    with pages.browser("alan") as browser:
        header = {"Authorization": f"token {pages.hub.token('ada')}"}
        answer = browser.post(f"{PREFIX}change", data={"word": "yes"}, headers=header)
        assert answer.json() == {"name": "ada", "word": "yes"}
        bad = browser.get(PREFIX, headers={**NAVIGATE, "Authorization": "token " + "0" * 32})
        assert bad.status_code == 302


def test_a_hub_that_does_not_answer_is_our_fault_not_a_logout(tmp_path: Path) -> None:
    with Hub() as hub:
        api = hub.api
        token = hub.token("ada")
    from tests.hub.exchange.serving import Service

    class Gone:
        def __init__(self) -> None:
            self.api = api

    with Service(tmp_path, Gone()) as service, service.client(token) as ada:  # type: ignore[arg-type]
        answer = ada.get("/course")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
