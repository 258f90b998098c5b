"""What every handler is given: the site, and one visit of one member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request

from course.records import Course, Entry
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member
from hub.pages.jobs import Jobs
from hub.pages.material import Material
from hub.pages.queries import Records


@dataclass(frozen=True)
class PageSettings:
    """Where the rest of the hub is, as pages link to it. ``formgrader_url`` has no "/" at its end;
    ``approval_url`` is "" where nobody signs up."""

    lab_url: str = "/hub/user-redirect/lab"
    formgrader_url: str = "/hub/user-redirect/formgrader"
    approval_url: str = ""

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> PageSettings:
        """``JUPYTERHUB_BASE_URL`` says where the hub is; ``MLSYS_LAB_URL`` and
        ``MLSYS_FORMGRADER_URL`` where those are, if elsewhere; ``MLSYS_APPROVAL_URL`` where sign-ups are
        approved."""
        base = "/" + environment.get("JUPYTERHUB_BASE_URL", "/").strip("/")
        hub = f"{base.rstrip('/')}/hub/user-redirect"
        return cls(
            lab_url=environment.get("MLSYS_LAB_URL") or f"{hub}/lab",
            formgrader_url=(environment.get("MLSYS_FORMGRADER_URL") or f"{hub}/formgrader").rstrip("/"),
            approval_url=environment.get("MLSYS_APPROVAL_URL", ""),
        )


@dataclass(frozen=True)
class Site:
    """One course's pages."""

    exchange: Exchange
    settings: PageSettings
    jobs: Jobs
    records: Records
    material: Material

    @classmethod
    def of_exchange(cls, exchange: Exchange, settings: PageSettings) -> Site:
        return cls(
            exchange=exchange,
            settings=settings,
            jobs=Jobs(exchange.course.file, exchange.course_dir, exchange.clock),
            records=Records(exchange),
            material=Material(exchange.course),
        )

    @property
    def course(self) -> Course:
        return self.exchange.course

    @property
    def course_dir(self) -> Path:
        return self.exchange.course_dir

    def now(self) -> datetime:
        return self.exchange.clock()


@dataclass(frozen=True)
class Visit:
    """A request of a member. ``form``: the fields that a POST sent, each once."""

    site: Site
    request: Request
    member: Member
    form: Mapping[str, str] = field(default_factory=dict)

    def part(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def asked(self, name: str) -> str:
        """A query parameter, "" where there is none."""
        return self.request.query_params.get(name, "").strip()

    @property
    def entry(self) -> Entry:
        """The assignment that the path names. Raises HTTPException 404."""
        return self.entry_of(self.part("assignment"))

    def entry_of(self, name: str) -> Entry:
        for entry in self.site.course.entries:
            if entry.id == name:
                return entry
        raise not_found()


def not_found() -> HTTPException:
    """What there is not, and what is another's."""
    return HTTPException(404, "There is no such page, or it isn't yours to see.")
