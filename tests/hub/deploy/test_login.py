"""Login through an institution: a real token becomes the right name and role, and no other gets in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jupyterhub.app import JupyterHub

from hub.deploy.login.roles import CUSTOM, MEMBERSHIP, ROLES, enrolling, lti_member, oauth_member
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role
from hub.settings import HubSettings
from tests.hub.command import ROOT
from tests.hub.deploy.configuration import class_of, load, require_known
from tests.hub.exchange.serving import COURSE

jwt = pytest.importorskip("jwt", reason="the extra 'deploy' isn't installed")
lti13 = pytest.importorskip("ltiauthenticator.lti13.auth", reason="the extra 'deploy' isn't installed")
validator = pytest.importorskip("ltiauthenticator.lti13.validator")
pytest.importorskip("oauthenticator", reason="the extra 'deploy' isn't installed")

FOLDER = ROOT / "hub" / "deploy" / "login"
INSTRUCTOR, LEARNER = f"{MEMBERSHIP}#Instructor", f"{MEMBERSHIP}#Learner"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"


@pytest.fixture
def settings(tmp_path: Path) -> HubSettings:
    (tmp_path / "course.toml").write_text(COURSE)
    (tmp_path / "course").mkdir()
    return HubSettings(tmp_path / "hub", tmp_path / "course.toml", tmp_path / "course", ("ines",))


def roster(settings: HubSettings) -> dict[str, Role]:
    from course.reader import read_course

    with Exchange(read_course(settings.course), settings.course_dir) as exchange:
        return {member.name: member.role for member in exchange.roster()}


class Platform:
    """A learning platform as far as its key goes: the public one is served, the private one signs."""

    def __init__(self, key: rsa.RSAPrivateKey, url: str) -> None:
        self.key, self.url = key, url

    def token(
        self, login: object = "Ada", *roles: str, key: rsa.RSAPrivateKey | None = None, **more: Any
    ) -> str:
        claims: dict[str, Any] = {
            "iss": "https://platform.test",
            "aud": "client-1",
            "sub": "4f3a",
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
            "nonce": "n",
            "name": "Ada Lovelace",
            "email": "ada@uni.test",
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}deployment_id": "1",
            f"{CLAIM}target_link_uri": "https://hub.test/",
            f"{CLAIM}resource_link": {"id": "r"},
            f"{CLAIM}context": {"id": "c", "label": "MLS"},
            ROLES: list(roles),
            CUSTOM: {"login": login} if login is not None else {},
            **more,
        }
        signed: str = jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": "k"})
        return signed

    def read(self, token: str) -> dict[str, Any]:
        """The token as the authenticator's own callback verifies it."""
        checker = validator.LTI13LaunchValidator()
        decoded: dict[str, Any] = checker.verify_and_decode_jwt(
            token, "https://platform.test", "client-1", self.url, ["RS256"]
        )
        checker.validate_id_token(decoded)
        return decoded


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    body = json.dumps({"keys": [{**public, "kid": "k", "use": "sig", "alg": "RS256"}]}).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Platform(key, f"http://127.0.0.1:{server.server_port}/jwks")
        server.shutdown()


def login(settings: HubSettings, token: dict[str, Any]) -> str | None:
    """What JupyterHub makes of a launch: the name of who is logged in, or None."""
    c = load(FOLDER / "lti.py", settings)
    authenticator = lti13.LTI13Authenticator(config=c)
    handler = SimpleNamespace(log=logging.getLogger(__name__))
    found = asyncio.run(authenticator.get_authenticated_user(handler, token))
    return found["name"] if found else None


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        ((LEARNER,), Role.STUDENT),
        ((INSTRUCTOR,), Role.INSTRUCTOR),
        ((LEARNER, f"{MEMBERSHIP}/Instructor#TeachingAssistant"), Role.INSTRUCTOR),
        (("http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor", LEARNER), Role.STUDENT),
        (("http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",), Role.STUDENT),
        ((f"{INSTRUCTOR}x", "Instructor"), Role.STUDENT),
        ((), Role.STUDENT),
    ],
)
def test_a_launch_gives_name_and_role(
    settings: HubSettings, platform: Platform, roles: tuple[str, ...], role: Role
) -> None:
    assert login(settings, platform.read(platform.token("Ada", *roles))) == "ada"
    assert roster(settings) == {"ada": role}


def test_the_role_follows_the_platform_but_not_for_the_hubs_own_instructors(
    settings: HubSettings, platform: Platform
) -> None:
    for name, role in (("ada", INSTRUCTOR), ("ada", LEARNER), ("ines", LEARNER)):
        assert login(settings, platform.read(platform.token(name, role))) == name
    assert roster(settings) == {"ada": Role.STUDENT, "ines": Role.INSTRUCTOR}


@pytest.mark.parametrize("name", [None, "", 7, ["ada"], "../ada", "ada lovelace", "x" * 65])
def test_a_launch_without_a_proper_name_lets_nobody_in(
    settings: HubSettings, platform: Platform, name: object
) -> None:
    """Also not under ``sub``, which the authenticator falls back to."""
    decoded = platform.read(platform.token(name, INSTRUCTOR))
    with contextlib.suppress(AttributeError):  # JupyterHub's own, for a name that is no text
        assert login(settings, decoded) is None
    assert roster(settings) == {}


def test_a_token_that_another_key_signed_is_refused(platform: Platform) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(Exception, match=r"(?i)signature"):
        platform.read(platform.token("ada", INSTRUCTOR, key=other))


@pytest.mark.parametrize("more", [{"aud": "another"}, {"iss": "https://else.test"}, {"exp": 1}])
def test_a_token_for_another_tool_or_time_is_refused(platform: Platform, more: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"(?i)token|audience|issuer|expired|valid"):
        platform.read(platform.token("ada", INSTRUCTOR, **more))


def test_members_from_claims_of_wrong_types() -> None:
    good = {CUSTOM: {"login": "Ada"}, ROLES: [INSTRUCTOR, 7], "name": ["x"], "email": "a@b"}
    assert lti_member(good) == Member("ada", Role.INSTRUCTOR, "", "a@b")
    for bad in (
        {},
        {CUSTOM: "login"},
        {CUSTOM: {"login": "ada"}},
        {CUSTOM: {"login": "ada"}, ROLES: INSTRUCTOR},
    ):
        assert lti_member(bad) is None


def test_members_from_an_oauth_profile() -> None:
    read = partial(oauth_member, name_in="login", staff_groups={"staff"})
    assert read({"login": "Ada", "groups": ["staff"], "name": "A"}) == Member("ada", Role.INSTRUCTOR, "A")
    assert read({"login": "ada", "groups": "staff"}) == Member("ada")
    assert read({"login": "ada"}) == Member("ada")
    assert read({"login": None}) is None
    assert oauth_member({"login": "ada", "groups": ["staff"]}, name_in="login") == Member("ada")


def test_a_profile_of_somebody_else_is_refused(settings: HubSettings) -> None:
    hook = enrolling(settings, partial(oauth_member, name_in="login"), "oauth_user")
    authenticator = SimpleNamespace(log=logging.getLogger(__name__))
    for name, profile in (("ada", {"login": "eve"}), ("ada", {}), ("ada", None)):
        state = {"auth_state": {"oauth_user": profile}, "name": name}
        assert asyncio.run(hook(authenticator, None, state)) is None
    assert roster(settings) == {}


@pytest.mark.parametrize("name", ["lti", "oauth"])
def test_the_authenticator_has_every_name_that_the_file_sets(name: str, settings: HubSettings) -> None:
    c = load(FOLDER / f"{name}.py", settings)
    require_known(c, JupyterHub, class_of(c.JupyterHub.authenticator_class))


def test_no_secret_is_in_a_file() -> None:
    text = (FOLDER / "oauth.py").read_text()
    assert 'client_secret = os.environ.get("OAUTH_CLIENT_SECRET", "")' in text


@pytest.mark.parametrize(
    ("path", "names", "key"),
    [
        ("oauthenticator.google.GoogleOAuthenticator", {"hosted_domain"}, "google_user"),
        ("oauthenticator.github.GitHubOAuthenticator", {"allowed_organizations"}, "github_user"),
        ("oauthenticator.azuread.AzureAdOAuthenticator", {"tenant_id"}, "user"),
        (
            "oauthenticator.generic.GenericOAuthenticator",
            {"allowed_groups", "manage_groups", "auth_state_groups_key"},
            "oauth_user",
        ),
    ],
)
def test_what_the_page_says_of_providers_is_so(path: str, names: set[str], key: str) -> None:
    page = (FOLDER / "README.md").read_text() + (FOLDER / "oauth.py").read_text()
    cls = class_of(path)
    assert names <= set(cls.class_trait_names(config=True))
    assert vars(cls).get("user_auth_state_key", "oauth_user") == key
    assert not [word for word in (path.rpartition(".")[2], *names, key) if word not in page]
