"""A learning platform on the loopback: OpenID Connect login, tokens, roster and gradebook by LTI 1.3 Advantage.

It behaves as Moodle does unless told otherwise (``Switches``); see ``gradebook`` for grades and ``faults`` for
what can be broken. Its token endpoint verifies the tool's assertion against the tool's own key set.
"""

from __future__ import annotations

import argparse
import html
import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.hub.lti.faults import Faulty, Rule
from tests.hub.lti.gradebook import INSTRUCTOR, Column, Person, canvas, moodle

CLIENT, DEPLOYMENT, CONTEXT, LINK = "client-1", "3", "course-42", "link-9"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCOPES = (
    f"{AGS}lineitem",
    f"{AGS}lineitem.readonly",
    f"{AGS}result.readonly",
    f"{AGS}score",
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
)
NAMES = SCOPES[4]
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Answer = tuple[int, Any] | Response
T = TypeVar("T")


@dataclass
class Switches:
    """How the platform differs from a plain Moodle. ``pages``: people and results a page, 0: all in one;
    ``typographic``: Link headers as on Moodle's first page; ``type_id``: ids of columns end in
    ``?type_id=2``; ``ahead``: of its clock; ``attempts``: Canvas'; ``granted``: scopes that are given."""

    is_canvas: bool = False
    pages: int = 0
    typographic: bool = True
    type_id: bool = True
    token_seconds: int = 3600
    ahead: timedelta = timedelta(0)
    attempts: int = 1
    granted: tuple[str, ...] = SCOPES
    tells_login: bool = False


@dataclass(frozen=True)
class Heard:
    """A request that reached the platform's services."""

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]


@dataclass
class Platform:
    """``tool_keys``: gives the tool's key set; ``people``, ``columns``: of the course."""

    tool_keys: Callable[[], dict[str, Any]]
    people: list[Person] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    switches: Switches = field(default_factory=Switches)
    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    tokens: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict)
    assertions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Bound from now on: connections wait in the socket until the server runs.
        self.listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listening.getsockname()[1]
        self.key = self.signer = _key()  # what it publishes, and what it signs with
        self.used: set[str] = set()
        self.redirect_uri = ""
        self.faulty = Faulty(Starlette(routes=self._routes()))
        config = uvicorn.Config(
            self.faulty,
            host="127.0.0.1",
            port=self.port,
            http="h11",
            loop="asyncio",
            lifespan="off",
            log_level="critical",
            date_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self.listening],), daemon=True)

    def __enter__(self) -> Platform:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.005)
        return self

    def __exit__(self, *error: object) -> None:
        self._server.force_exit = True
        self._server.should_exit = True
        self._thread.join()
        self.listening.close()

    def wait(self) -> None:
        """Until this process is ended."""
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    @property
    def lineitems(self) -> str:
        return f"{self.url}/services/Courses/42/lineitems{self._query}"

    @property
    def memberships(self) -> str:
        return f"{self.url}/services/Courses/42/memberships"

    def breaks(self, rule: Rule | None) -> None:
        """From now on, with the requests counted anew."""
        self.faulty.count, self.faulty.rule = 0, rule

    def column(self, resource_id: str) -> Column:
        return next(each for each in self.columns if each.resource_id == resource_id)

    def item_id(self, column: Column) -> str:
        return f"{self.url}/services/Courses/42/lineitems/{column.number}/lineitem{self._query}"

    def grades(self, column: Column) -> dict[str, float]:
        """user id -> score, of those that have one."""
        return {user: kept.score for user, kept in column.kept.items() if kept.score is not None}

    def scores(self) -> list[dict[str, Any]]:
        """The scores that came in, in order, taken or not."""
        return [json.loads(each.body) for each in self.heard if each.path.endswith("/scores")]

    def claims(self, person: Person, nonce: str = "n", **more: Any) -> dict[str, Any]:
        """What a launch of the course says."""
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": CLIENT,
            "sub": person.user_id,
            "iat": now,
            "exp": now + 60,
            "nonce": nonce,
            "name": person.name,
            "email": person.email,
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}deployment_id": DEPLOYMENT,
            f"{CLAIM}target_link_uri": f"{self.url}/",
            f"{CLAIM}resource_link": {"id": LINK},
            f"{CLAIM}context": {"id": CONTEXT, "title": "Systems", "label": "MLS"},
            f"{CLAIM}roles": list(person.roles),
            f"{CLAIM}custom": {"login": person.login},
            f"{CLAIM}tool_platform": {
                "product_family_code": "canvas" if self.switches.is_canvas else "moodle"
            },
            "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
                "scope": list(SCOPES[:4]),
                "lineitems": self.lineitems,
            },
            "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {
                "context_memberships_url": self.memberships,
                "service_versions": ["1.0", "2.0"],
            },
            **more,
        }

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.signer, algorithm="RS256", headers={"kid": "platform"})

    def initiation(self, person: Person) -> dict[str, str]:
        """What the browser posts to the tool's login, as Moodle does: all six."""
        return {
            "iss": self.url,
            "target_link_uri": f"{self.url}/",
            "login_hint": person.user_id,
            "lti_message_hint": '{"cmid":9}',
            "client_id": CLIENT,
            "lti_deployment_id": DEPLOYMENT,
        }

    @property
    def _query(self) -> str:
        return "?type_id=2" if self.switches.type_id else ""

    def _routes(self) -> list[Route]:
        course = "/services/Courses/42"
        return [
            Route("/jwks", self._jwks),
            Route("/auth", self._auth),
            Route("/token", self._token, methods=["POST"]),
            self._service(f"{course}/memberships", self._members, "GET", NAMES),
            self._service(f"{course}/lineitems", self._items, "GET", SCOPES[0], SCOPES[1]),
            self._service(f"{course}/lineitems", self._make, "POST", SCOPES[0]),
            self._service(f"{course}/lineitems/{{number:int}}/lineitem", self._change, "PUT", SCOPES[0]),
            self._service(
                f"{course}/lineitems/{{number:int}}/lineitem/scores", self._score, "POST", SCOPES[3]
            ),
            self._service(
                f"{course}/lineitems/{{number:int}}/lineitem/results", self._results, "GET", SCOPES[2]
            ),
        ]

    def _service(
        self, path: str, answer: Callable[[Request, bytes], Answer], method: str, *scopes: str
    ) -> Route:
        """A route that wants a token with one of the scopes, and keeps what it hears."""

        async def asked(request: Request) -> Response:
            body = await request.body()
            self.heard.append(
                Heard(request.method, request.url.path, request.url.query, body, dict(request.headers))
            )
            until, granted = self.tokens.get(_bearer(request), (0.0, frozenset()))
            if time.time() > until:
                return self._dated(JSONResponse([], 401))
            if not granted & set(scopes):
                return self._dated(JSONResponse([], 403))
            found = answer(request, body)
            return self._dated(found if isinstance(found, Response) else JSONResponse(found[1], found[0]))

        return Route(path, asked, methods=[method])

    def _dated(self, response: Response) -> Response:
        response.headers["Date"] = format_datetime(datetime.now(UTC) + self.switches.ahead, usegmt=True)
        return response

    async def _jwks(self, request: Request) -> Response:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return JSONResponse({"keys": [{**public, "kid": "platform", "use": "sig", "alg": "RS256"}]})

    async def _auth(self, request: Request) -> Response:
        """The second step of a login: a form that the browser posts to the tool."""
        asked = request.query_params
        person = next((each for each in self.people if each.user_id == asked.get("login_hint")), None)
        fixed = {
            "response_type": "id_token",
            "scope": "openid",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": CLIENT,
            "redirect_uri": self.redirect_uri,
            "lti_message_hint": '{"cmid":9}',
        }
        if person is None or any(asked.get(name) != value for name, value in fixed.items()):
            return JSONResponse({"error": "invalid_request"}, 400)
        token = self.sign(self.claims(person, asked["nonce"]))
        fields = {"id_token": token, "state": asked["state"]}
        inputs = "".join(
            f'<input name="{name}" value="{html.escape(value)}">' for name, value in fields.items()
        )
        return HTMLResponse(f'<form method="post" action="{html.escape(self.redirect_uri)}">{inputs}</form>')

    async def _token(self, request: Request) -> Response:
        body = (await request.body()).decode()
        form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
        self.assertions.append(form.get("client_assertion", ""))
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != ASSERTION:
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if not self._is_the_tool(form.get("client_assertion", "")):
            return JSONResponse({"error": "invalid_client"}, 400)
        scopes = [each for each in form.get("scope", "").split() if each in self.switches.granted]
        token = secrets.token_urlsafe(24)
        self.tokens[token] = (time.time() + self.switches.token_seconds, frozenset(scopes))
        seconds = self.switches.token_seconds
        return JSONResponse(
            {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": " ".join(scopes)}
        )

    def _is_the_tool(self, assertion: str) -> bool:
        try:
            kid = jwt.get_unverified_header(assertion)["kid"]
            key = next(key for key in jwt.PyJWKSet.from_dict(self.tool_keys()).keys if key.key_id == kid)
            claims = jwt.decode(
                assertion,
                key,
                algorithms=["RS256"],
                audience=self.token_url,
                issuer=CLIENT,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
            )
        except (jwt.PyJWTError, StopIteration, KeyError):
            return False
        is_fresh = claims["sub"] == CLIENT and claims["jti"] not in self.used
        self.used.add(claims["jti"])
        return bool(is_fresh)

    def _members(self, request: Request, body: bytes) -> Answer:
        part, headers = self._page(request, self.people, self.memberships)
        members = []
        for each in part:
            told = {
                "status": each.status,
                "roles": list(each.roles),
                "user_id": each.user_id,
                "lis_person_sourcedid": each.sis_id,
                "name": each.name,
                "email": each.email,
            }
            members.append({**told, "ext_user_username": each.login} if self.switches.tells_login else told)
        container = {"id": self.memberships, "context": {"id": CONTEXT}, "members": members}
        return JSONResponse(container, headers=headers)

    def _items(self, request: Request, body: bytes) -> Answer:
        wanted = request.query_params.get("resource_id")
        found = [each for each in self.columns if wanted in (None, each.resource_id)]
        part, headers = self._page(request, found, self.lineitems)
        return JSONResponse([self._as_item(each) for each in part], headers=headers)

    def _make(self, request: Request, body: bytes) -> Answer:
        if not _is(request, ITEM_TYPE):
            return 400, []
        asked = json.loads(body)
        number = 1 + max((each.number for each in self.columns), default=0)
        column = Column(
            number,
            asked["label"],
            asked["scoreMaximum"],
            asked.get("resourceId", ""),
            tag=asked.get("tag", ""),
        )
        self.columns.append(column)
        return 201, self._as_item(column)

    def _change(self, request: Request, body: bytes) -> Answer:
        column = self._found(request)
        if column is None:
            return 404, []
        column.rescale(json.loads(body)["scoreMaximum"])
        return 200, self._as_item(column)

    def _score(self, request: Request, body: bytes) -> Answer:
        column = self._found(request)
        if column is None:
            return 404, []
        if not _is(request, SCORE_TYPE):
            return 400, []
        sent = json.loads(body)
        person = next((each for each in self.people if each.user_id == sent.get("userId")), None)
        if self.switches.is_canvas:
            return canvas(column, person, sent, attempts=self.switches.attempts), []
        return moodle(column, person, sent), []

    def _results(self, request: Request, body: bytes) -> Answer:
        column = self._found(request)
        if column is None:
            return 404, []
        where = f"{self.url}/services/Courses/42/lineitems/{column.number}/lineitem/results{self._query}"
        part, headers = self._page(request, sorted(column.kept), where)
        results = []
        for user_id in part:
            shown: dict[str, Any] = {
                "id": f"{where}#{user_id}",
                "userId": user_id,
                "resultMaximum": column.maximum,
            }
            if column.kept[user_id].score is not None:
                shown["resultScore"] = column.kept[user_id].score
            results.append({**shown, "scoreOf": self.item_id(column)})
        return JSONResponse(results, headers=headers)

    def _found(self, request: Request) -> Column | None:
        is_whole = not self.switches.type_id or request.query_params.get("type_id") == "2"
        number = request.path_params["number"]
        return next((each for each in self.columns if each.number == number and is_whole), None)

    def _as_item(self, column: Column) -> dict[str, Any]:
        return {
            "id": self.item_id(column),
            "label": column.label,
            "scoreMaximum": column.maximum,
            "resourceId": column.resource_id,
            "tag": column.tag,
            **({"resourceLinkId": column.resource_link} if column.resource_link else {}),
        }

    def _page(self, request: Request, all_of_them: list[T], url: str) -> tuple[list[T], dict[str, str]]:
        size = self.switches.pages
        if not size:
            return all_of_them, {}
        start = int(request.query_params.get("from", "0"))
        part, after = all_of_them[start : start + size], start + size
        if after >= len(all_of_them):
            return part, {}
        kept = {**request.query_params, "limit": str(size), "from": str(after)}
        target = f"{url.partition('?')[0]}?{urlencode(kept)}"
        if self.switches.typographic:
            link = f"<{target.replace('&', '&amp;')}>; rel=“next”"
            return part, {"Link": link.encode().decode("latin-1")}
        return part, {"Link": f'<{target}>; rel="next", <{url}>; rel="first"'}


@cache
def _key() -> rsa.RSAPrivateKey:
    """One for all platforms of a process: making one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _is(request: Request, kind: str) -> bool:
    """The content type; a charset behind it is taken."""
    return request.headers.get("content-type", "").partition(";")[0].strip() == kind


def class_of(students: int) -> list[Person]:
    """A teacher and so many learners."""
    learners = [
        Person(f"{1000 + n:04}", f"s{n:04}", sis_id=f"{n:08}", name=f"Student {n}") for n in range(students)
    ]
    return [Person("2", "ines", (INSTRUCTOR,), name="Ines"), *learners]


def main() -> None:
    """A platform of its own process: prints its port and serves, with the key set that is on stdin."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=3000)
    keys = json.load(sys.stdin)
    with Platform(lambda: keys, class_of(parser.parse_args().students)) as platform:
        print(platform.port, flush=True)
        platform.wait()


if __name__ == "__main__":
    main()
