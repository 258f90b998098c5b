"""mlsys lti: grades to a learning platform by LTI 1.3; keys, launches, its roster, pushes and their log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from autograder.errors import AuthorError, PlatformError
from hub.cli.console import (
    DEFAULT_COURSE,
    DEFAULT_COURSE_DIR,
    AsJson,
    CourseDir,
    CourseFile,
    emit,
    number,
    progress_bar,
    results,
    told,
    words,
)
from hub.cli.deliveries import ADVICE, confirmed, print_strangers, show_preview, show_report, shown_on
from hub.cli.exchange import Students, opened
from hub.cli.interrupts import INTERRUPTED, first_interrupt
from hub.exchange.people import student_keys
from hub.lti import keys as tool
from hub.lti.addresses import Elsewhere, host_of, require_host, require_url
from hub.lti.coursework import Wish, order_of
from hub.lti.launches import Launches
from hub.lti.log import PushLog
from hub.lti.matching import match
from hub.lti.passback import open_passback
from hub.lti.planning import Fate
from hub.lti.push import look, push
from hub.lti.records import Launch, Registration
from hub.lti.routes import PATH
from hub.lti.text import shown
from hub.lti.wire import Stopped

app = typer.Typer(no_args_is_help=True, help="Grades to a learning platform by LTI 1.3.")

Context = Annotated[str, typer.Option("--context", help="The course there, where several were launched.")]
ByEmail = Annotated[
    bool, typer.Option("--by-email", help="Match people by e-mail address, too: people may change theirs.")
]


@app.command("keys")
def keys_command(
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    prepare: Annotated[bool, typer.Option("--prepare", help="Publish the next key beside this one.")] = False,
    rotate: Annotated[bool, typer.Option("--rotate", help="Sign with the prepared key from now on.")] = False,
    pem: Annotated[bool, typer.Option("--pem", help="As PEM, to be pasted there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The public key set (JWKS).")] = False,
) -> None:
    """Show the tool's public keys; make the first, prepare the next, change to it."""
    with told():
        if prepare and rotate:
            raise AuthorError("prepare a key first, let the platform read it, then rotate: not both at once")
        if not course_dir.is_dir():
            raise PlatformError(f"{course_dir} doesn't exist; name another --course-dir")
        change = tool.prepare if prepare else tool.rotate if rotate else tool.tool_keys
        found = change(course_dir)
    if as_json:
        emit(dict(found.jwks()))
        return
    for key in found.keys:
        state = "signs" if key is found.signing else "prepared" if key is found.prepared else "before"
        results.print(key.public_pem.rstrip() if pem else f"{key.kid}  {state}", soft_wrap=True)
    words.print(f"platforms read them at …/services/course{PATH}, below the hub's address")


@app.command("launches")
def launches_command(
    course: CourseFile = DEFAULT_COURSE, course_dir: CourseDir = DEFAULT_COURSE_DIR, as_json: AsJson = False
) -> None:
    """List the courses there that launches have told of, with their addresses."""
    with told(), opened(course, course_dir) as exchange:
        found = Launches(exchange.database).launches()
    table = Table("course there", "platform", "columns", "roster", "launched", header_style="bold")
    for each in found:
        if as_json:
            emit(_as_launch(each))
        title = f"{shown(each.context)} {shown(each.title)}".strip()
        cells = [title, each.registration.issuer, each.lineitems or "–", each.memberships or "–"]
        table.add_row(*(escape(shown(cell)) for cell in cells), f"{each.launched:%Y-%m-%d %H:%M}")
    if not as_json:
        results.print(table)
    if not found:
        words.print("none: open the tool in the course there, as its teacher, or `mlsys lti register`")


@app.command("register")
def register_command(
    issuer: Annotated[str, typer.Option(help="The platform's issuer, as it names itself.")],
    client_id: Annotated[str, typer.Option(help="The tool's client id there.")],
    token_url: Annotated[str, typer.Option(help="Where the platform gives out tokens.")],
    lineitems: Annotated[str, typer.Option(help="The columns of the course's gradebook there.")],
    memberships: Annotated[str, typer.Option(help="The course's roster there.")],
    context: Annotated[str, typer.Option(help="A name for the course there, such as its id.")],
    deployment: Annotated[str, typer.Option(help="The tool's deployment there.")] = "",
    host: Annotated[list[str] | None, typer.Option(help="Other hosts of the platform.")] = None,
    audience: Annotated[str, typer.Option(help="If it isn't the token URL.")] = "",
    family: Annotated[str, typer.Option(help="The platform's product, such as canvas.")] = "",
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
) -> None:
    """Write down the addresses of a course there, where launches can't be kept."""
    with told(), opened(course, course_dir) as exchange:
        require_url(token_url, "--token-url")
        hosts = tuple(dict.fromkeys([host_of(token_url), *(host or ())]))
        for url, name in ((lineitems, "--lineitems"), (memberships, "--memberships")):
            _require_known(url, hosts, name)
        for name, text in {"--issuer": issuer, "--client-id": client_id, "--context": context}.items():
            if not text.strip() or not text.isprintable():
                raise AuthorError(f"{name} is empty or has control signs in it")
        registration = Registration(issuer, client_id, token_url, hosts, audience)
        launch = Launch(
            registration,
            deployment,
            context,
            "",
            datetime.now(UTC),
            lineitems=lineitems,
            memberships=memberships,
            title="by hand",
            family=family,
        )
        Launches(exchange.database).note(launch, None)
    words.print(f"registered {escape(shown(context))}; try `mlsys lti roster`")


@app.command("forget")
def forget_command(
    context: Annotated[str, typer.Argument(help="The course there, as `mlsys lti launches` shows it.")],
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
) -> None:
    """Forget the addresses of a course there; the log of pushes stays."""
    with told(), opened(course, course_dir) as exchange:
        count = Launches(exchange.database).forget(context)
        if not count:
            raise AuthorError(f"no launch of {shown(context)} is known; see `mlsys lti launches`")
    words.print(f"forgot {count} launches of {escape(shown(context))}")


@app.command("roster")
def roster_command(
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    context: Context = "",
    by_email: ByEmail = False,
    as_json: AsJson = False,
) -> None:
    """Ask the platform who is in the course there, and say who is whom here."""
    with told(), opened(course, course_dir) as exchange, stoppable() as stop:
        students = student_keys(exchange)
        with open_passback(exchange, context, stop=stop) as passback:
            found = match(students.values(), passback.members(), passback.logins(), by_email=by_email)
    table = Table("student", "user id there", "", header_style="bold")
    for name in sorted(students):
        person = found.pairs.get(name)
        note = found.doubtful.get(name, "")
        if person is not None and not person.learns:
            note = ADVICE[Fate.DROPPED]
        user_id = person.user_id if person is not None else ""
        if as_json:
            emit({"student": name, "user_id": user_id or None, "note": note})
        table.add_row(name, escape(shown(user_id)) if user_id else "–", note)
    for person in found.strangers if as_json else ():
        emit({"student": None, "user_id": person.user_id, "note": "nobody here"})
    if not as_json:
        results.print(table)
    words.print(f"{len(found.pairs)} of {len(students)} students are somebody there")
    print_strangers([each.user_id for each in found.strangers])


@app.command("push")
def push_command(
    assignment: Annotated[str, typer.Argument(help="Such as 07-autograd.")],
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send without asking.")] = False,
    student: Students = None,
    missing_as_zero: Annotated[
        bool, typer.Option("--missing-as-zero", help="0 for who handed nothing in and has no time left.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace grades there that aren't from here.")
    ] = False,
    over_maximum: Annotated[
        bool, typer.Option("--over-maximum", help="Send scores over the maximum, too.")
    ] = False,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="With the feedback as a comment; Canvas adds one each time.")
    ] = False,
    line_item: Annotated[str, typer.Option(help="The column's id, where the assignment has several.")] = "",
    context: Context = "",
    by_email: ByEmail = False,
    as_json: AsJson = False,
) -> None:
    """Send an assignment's grades to its column there, read them back, and say what didn't arrive."""
    wish = Wish(
        assignment,
        tuple(student or ()),
        missing_as_zero,
        overwrite,
        over_maximum,
        line_item=line_item,
        feedback=feedback,
        by_email=by_email,
    )
    with told(), opened(course, course_dir) as exchange, stoppable() as stop:
        if as_json and not (yes or dry):
            raise AuthorError("--json asks nobody: say --dry-run or --yes")
        order, grades = order_of(exchange, wish)
        with open_passback(exchange, context, stop=stop) as passback:
            if dry:
                show_preview(look(passback, order, grades), as_json=as_json)
                return
            with progress_bar() as bar:
                report = push(
                    passback,
                    order,
                    grades,
                    confirm=lambda preview: confirmed(preview, bar, yes=yes, as_json=as_json),
                    progress=shown_on(bar, order, as_json=as_json),
                )
    show_report(report, as_json=as_json)


@app.command("log")
def log_command(
    assignment: Annotated[str | None, typer.Argument(help="Such as 07-autograd; all without it.")] = None,
    course: CourseFile = DEFAULT_COURSE,
    course_dir: CourseDir = DEFAULT_COURSE_DIR,
    student: Students = None,
    as_json: AsJson = False,
) -> None:
    """List what was sent, when, what was answered, and what the platform showed afterwards."""
    table = Table("time (UTC)", "assignment", "student", "sent", "answer", "shown after", header_style="bold")
    with told(), opened(course, course_dir) as exchange:
        for each in PushLog(exchange.database).entries(assignment, tuple(student or ())):
            if as_json:
                emit(each.as_json())
            there = "" if each.there is None else f"{number(each.there[0])}/{number(each.there[1])}"
            table.add_row(
                f"{each.stamp:%Y-%m-%d %H:%M:%S}",
                each.assignment,
                each.student,
                f"{number(each.score)}/{number(each.maximum)}",
                each.outcome.value,
                there,
            )
    if not as_json:
        results.print(table)


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """Ctrl-C ends after what is on its way; Stopped becomes words and 130."""
    with first_interrupt("what is on its way") as stop:
        try:
            yield stop
        except Stopped:
            words.print("stopped; run the same command again to go on")
            raise typer.Exit(INTERRUPTED) from None


def _as_launch(launch: Launch) -> dict[str, Any]:
    registration = launch.registration
    return {
        "issuer": registration.issuer,
        "client_id": registration.client_id,
        "deployment": launch.deployment,
        "context": launch.context,
        "resource_link": launch.resource_link,
        "title": launch.title,
        "family": launch.family,
        "token_url": registration.token_url,
        "hosts": list(registration.hosts),
        "lineitems": launch.lineitems,
        "lineitem": launch.lineitem,
        "memberships": launch.memberships,
        "scopes": list(launch.scopes),
        "launched": launch.launched.isoformat(),
    }


def _require_known(url: str, hosts: tuple[str, ...], name: str) -> None:
    try:
        require_host(url, hosts, name)
    except Elsewhere as error:
        raise AuthorError(str(error)) from None
