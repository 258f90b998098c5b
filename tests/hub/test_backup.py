"""A backup is taken while work goes on, and what is restored elsewhere is the same; archives aren't trusted."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from autograder.errors import PlatformError
from autograder.gradebook import read_standings, receipts, take_in
from course.gradebook import FILE as GRADEBOOK_FILE
from course.gradebook import gradebook_url
from course.reader import read_course
from hub.backup import Holdings, Targets, back_up, check, holdings_of, restore
from hub.backup.databases import conninfo, parse
from hub.backup.records import LAST_BACKUP, MANIFEST, FileRecord, Manifest, Part
from hub.backup.walking import MAX_DEPTH
from hub.exchange.exchange import Exchange
from hub.exchange.records import Member, Role, Submission
from hub.login.accounts import Accounts
from hub.settings import HubSettings, Storage, read_secrets, read_settings, write_settings
from tests.autograder.conftest import released_course
from tests.autograder.gradebook.conftest import course, released_database
from tests.autograder.gradebook.gradings import DUE, grading, open_gradebook, result
from tests.hub.exchange.course import FIRST, notebook
from tests.hub.exchange.serving import COURSE
from tests.postgres import Postgres

__all__ = ["course", "released_course", "released_database"]

WORD = "apple-pear-plum"


@pytest.fixture
def course_file(tmp_path: Path) -> Path:
    file = tmp_path / "course.toml"
    file.write_text(COURSE)
    return file


@pytest.fixture
def hub(tmp_path: Path, course: Path, course_file: Path) -> HubSettings:
    """A hub's state beside a course directory: accounts, secrets, a database, homes, what passes."""
    state = tmp_path / "hub"
    settings = HubSettings(state, course_file, course, ("ines",))
    write_settings(settings)
    read_secrets(state)
    Accounts(state).add("ada", WORD, one_time=True)
    shutil.copy(state / "accounts.sqlite", state / "jupyterhub.sqlite")
    (state / "hub.log").write_text("words")
    (state / "servers" / "x").mkdir(parents=True)
    (state / "homes" / "ada" / "work").mkdir(parents=True)
    (state / "homes" / "ada" / "work" / "notes.txt").write_text("mine")
    return read_settings(state)


@contextmanager
def exchange_of(settings: HubSettings) -> Iterator[Exchange]:
    storage = settings.storage
    with Exchange(
        read_course(settings.course),
        settings.course_dir,
        database=storage.exchange_database or None,
        storage=storage.exchange_files or None,
    ) as opened:
        yield opened


def holdings(settings: HubSettings) -> Holdings:
    return holdings_of(settings, settings.course, settings.course_dir)


def work(settings: HubSettings) -> list[Submission]:
    """A released assignment, two people, two submissions, feedback, one grading."""
    with exchange_of(settings) as exchange:
        exchange.enrol([Member("ada"), Member("ines", Role.INSTRUCTOR)])
        exchange.release(FIRST, {"layers.ipynb": notebook()})
        done = [exchange.submit("ada", FIRST, {"layers.ipynb": notebook(text)}) for text in ("1", "2")]
        exchange.collect(FIRST)
        exchange.give_back("ada", FIRST, {"layers.html": b"<p>"}, sha256=done[1].sha256, attempt=1)
    take_in(settings.course_dir, "ada", "layers", {"layers.ipynb": notebook()}, clock=lambda: DUE)
    with open_gradebook(settings.course_dir) as book:
        book.record_attempt(grading(result()))
    return done


def same(old: HubSettings, new: HubSettings) -> None:
    """Receipts, files, rosters, grades and logins are those that were."""
    with exchange_of(old) as one, exchange_of(new) as two:
        assert one.submissions() == two.submissions()
        for each in one.submissions():
            assert one.receipt(each) == two.receipt(each)
            assert one.read_submission(each) == two.read_submission(each)
        assert one.roster() == two.roster()
        assert one.returned() == two.returned()
        assert [two.read_returned(each) for each in two.returned()] == [{"layers.html": b"<p>"}]
        assert one.fetch("ines", FIRST) == two.fetch("ines", FIRST)
    with open_gradebook(old.course_dir) as one_book, open_gradebook(new.course_dir) as two_book:
        assert read_standings(one_book) == read_standings(two_book)
        assert one_book.attempts() == two_book.attempts()
        assert len(two_book.attempts()) == 1
    assert receipts(old.course_dir, "ada", "layers") == receipts(new.course_dir, "ada", "layers")
    assert read_secrets(old.state) == read_secrets(new.state)
    account = Accounts(new.state).find("ada")
    assert account is not None and account.opens_with(WORD, DUE)


def test_what_is_restored_elsewhere_is_the_same(
    hub: HubSettings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    work(hub)
    made = back_up(holdings(hub), tmp_path / "all.tar.gz")
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert made.skipped == ()
    assert check(made.file).manifest.parts == (Part.COURSE, Part.STATE, Part.HOMES)
    databases = {}
    if (hub.course_dir / GRADEBOOK_FILE).exists():
        server: Postgres = request.getfixturevalue("postgres")
        name = server.create()
        request.addfinalizer(lambda: server.drop(name))
        databases["gradebook"] = server.url(name)
    new = tmp_path / "new"
    done = restore(made.file, Targets(new / "course", new / "hub", databases, port=9000))
    settings = read_settings(new / "hub")
    assert (settings.course_dir, settings.port) == (new / "course", 9000)
    assert (done.state, done.course_dir) == (new / "hub", new / "course")
    same(hub, settings)
    assert gradebook_url(new / "course") != gradebook_url(hub.course_dir)
    assert (new / "hub/homes/ada/work/notes.txt").read_text() == "mine"
    assert sorted(path.name for path in new.iterdir()) == ["course", "hub"]
    state = sorted(path.name for path in (new / "hub").iterdir() if not path.name.endswith(("-wal", "-shm")))
    assert state == ["accounts.sqlite", "homes", "hub.toml", "jupyterhub.sqlite", "secrets.json"]
    assert (new / "hub/hub.toml").stat().st_mode & 0o777 == 0o600
    assert (hub.course_dir / LAST_BACKUP).exists()
    assert not (new / "course" / LAST_BACKUP).exists()


def test_an_exchange_in_postgresql_with_files_elsewhere(
    hub: HubSettings, tmp_path: Path, postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    if (hub.course_dir / GRADEBOOK_FILE).exists():
        (hub.course_dir / GRADEBOOK_FILE).unlink()
        shutil.copy(request.getfixturevalue("released_course") / "gradebook.db", hub.course_dir)
    names = [postgres.create() for _ in range(2)]
    for name in names:
        request.addfinalizer(partial(postgres.drop, name))
    old, new = map(postgres.url, names)
    text = (hub.state / "hub.toml").read_text().split("# Everything is kept")[0]
    files = f"file://{tmp_path}/objects"
    text += f'[storage]\nexchange_database = "{old}"\nexchange_files = "{files}"\n'
    (hub.state / "hub.toml").write_text(text)
    settings = read_settings(hub.state)
    assert settings.storage == Storage(exchange_database=old, exchange_files=files)
    work(settings)
    made = back_up(holdings(settings), tmp_path / "all.tar.gz")
    elsewhere = f"file://{tmp_path}/new/objects"
    targets = Targets(tmp_path / "new/course", tmp_path / "new/hub", {"exchange": new}, elsewhere)
    for wrong, words in (
        ({}, "exchange=postgresql://…; give exactly these with --database"),
        ({"exchange": old}, "has tables already"),
        ({"exchange": new, "hub": new}, "give exactly these"),
    ):
        with pytest.raises(PlatformError, match=words):
            restore(made.file, replace(targets, databases=wrong))
    assert not (tmp_path / "new/hub").exists() and not (tmp_path / "new/course").exists()
    restore(made.file, targets)
    same(settings, read_settings(tmp_path / "new/hub"))


def test_one_database_for_everything_is_dumped_once(
    hub: HubSettings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if not (hub.course_dir / GRADEBOOK_FILE).exists():
        pytest.skip("the same on SQLite is another test")
    url = gradebook_url(hub.course_dir)
    with (hub.state / "hub.toml").open("a") as file:
        file.write(f'[storage]\nexchange_database = "{url}"\ngradebook_database = "{url}"\n')
    settings = read_settings(hub.state)
    work(settings)
    made = back_up(holdings(settings), tmp_path / "all.tar.gz")
    assert [each.names for each in check(made.file).manifest.databases] == [("gradebook", "exchange")]
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    request.addfinalizer(lambda: server.drop(name))
    both = dict.fromkeys(("gradebook", "exchange"), server.url(name))
    restore(made.file, Targets(tmp_path / "new/course", tmp_path / "new/hub", both))
    same(settings, read_settings(tmp_path / "new/hub"))


def test_a_backup_during_submissions_holds_what_was_acknowledged(hub: HubSettings, tmp_path: Path) -> None:
    work(hub)
    stop, acknowledged = threading.Event(), []

    def submit(name: str) -> None:
        with exchange_of(hub) as exchange:
            for turn in range(18):
                if stop.is_set():
                    return
                files = {"layers.ipynb": notebook(f"{name} {turn}")}
                acknowledged.append(exchange.submit(name, FIRST, files))

    students = [threading.Thread(target=submit, args=(name,)) for name in ("bob", "cleo", "dan")]
    for thread in students:
        thread.start()
    while len(acknowledged) < 3:
        stop.wait(0.01)
    before = list(acknowledged)
    databases = {"gradebook": "postgresql://unused"} if (hub.course_dir / GRADEBOOK_FILE).exists() else {}
    if databases:
        (hub.course_dir / GRADEBOOK_FILE).unlink()  # the gradebook is not what this is about
    try:
        made = back_up(holdings(hub), tmp_path / "all.tar.gz")
    finally:
        stop.set()
        for thread in students:
            thread.join()
    restore(made.file, Targets(tmp_path / "new/course", tmp_path / "new/hub"))
    with exchange_of(hub) as old, exchange_of(read_settings(tmp_path / "new/hub")) as new:
        kept = new.submissions()
        assert {each.id for each in before} <= {each.id for each in kept}
        for each in kept:
            assert new.receipt(each) == old.receipt(each)
            assert new.read_submission(each)  # raises unless the bytes are those that were received


@pytest.mark.parametrize("course", ["sqlite"], indirect=True)
class TestOneKindOfDatabase:
    """What doesn't depend on where the gradebook is."""

    def test_homes_can_stay_out(self, hub: HubSettings, tmp_path: Path) -> None:
        made = back_up(replace(holdings(hub), homes=False), tmp_path / "all.tar.gz")
        assert not [each.path for each in check(made.file).manifest.files if each.path.startswith("homes")]

    def test_a_course_without_a_hub(self, course: Path, course_file: Path, tmp_path: Path) -> None:
        made = back_up(holdings_of(None, course_file, course), tmp_path / "all.tar.gz")
        with pytest.raises(PlatformError, match="holds no hub; leave --state out"):
            restore(made.file, Targets(tmp_path / "new", tmp_path / "hub"))
        restore(made.file, Targets(tmp_path / "new"))
        with open_gradebook(tmp_path / "new") as book:
            assert book.attempts() == ()

    def test_nothing_that_is_there_is_replaced(self, hub: HubSettings, tmp_path: Path) -> None:
        made = back_up(holdings(hub), tmp_path / "all.tar.gz")
        with pytest.raises(PlatformError, match="is there already"):
            back_up(holdings(hub), made.file)
        with pytest.raises(PlatformError, match="is there already"):
            restore(made.file, Targets(hub.course_dir, tmp_path / "new"))
        with pytest.raises(PlatformError, match="is there already"):
            restore(made.file, Targets(tmp_path / "new", hub.state))
        assert not (tmp_path / "new").exists()

    def test_an_archive_does_not_hold_itself(self, hub: HubSettings) -> None:
        with pytest.raises(PlatformError, match="which is to be backed up"):
            back_up(holdings(hub), hub.course_dir / "all.tar.gz")

    def test_the_course_file_may_be_elsewhere(
        self, hub: HubSettings, tmp_path: Path, course_file: Path
    ) -> None:
        made = back_up(holdings(hub), tmp_path / "all.tar.gz")
        elsewhere = course_file.rename(tmp_path / "moved.toml")
        targets = Targets(tmp_path / "new/course", tmp_path / "new/hub")
        with pytest.raises(PlatformError, match="which isn't here; name its"):
            restore(made.file, targets)
        restore(made.file, replace(targets, course_file=elsewhere))
        assert read_settings(tmp_path / "new/hub").course == elsewhere

    def test_a_hub_that_holds_its_course(self, hub: HubSettings, tmp_path: Path) -> None:
        """As `mlsys up --demo` lays it out."""
        inside, file = hub.state / "course", hub.state / "course.toml"
        hub.course_dir.rename(inside)
        hub.course.rename(file)
        write_settings(replace(hub, course=file, course_dir=inside))
        settings = read_settings(hub.state)
        work(settings)
        made = back_up(holdings(settings), tmp_path / "all.tar.gz")
        restore(made.file, Targets(tmp_path / "new/hub/course", tmp_path / "new/hub"))
        found = read_settings(tmp_path / "new/hub")
        assert (found.course, found.course_dir) == (found.state / "course.toml", found.state / "course")
        same(settings, found)

    def test_what_a_student_puts_into_a_home_stops_no_backup(self, hub: HubSettings, tmp_path: Path) -> None:
        home = hub.state / "homes" / "ada"
        os.mkfifo(home / "pipe")
        (home / "link").symlink_to("/etc/passwd")
        (home / "folder-link").symlink_to("/etc")
        deep = home
        for _ in range(MAX_DEPTH + 5):
            deep = deep / "d"
            deep.mkdir()
        os.close(os.open(os.fsencode(home) + b"/\xff", os.O_CREAT | os.O_WRONLY))
        made = back_up(holdings(hub), tmp_path / "all.tar.gz")
        told = "\n".join(made.skipped)
        for words in ("pipe: a pipe", "ada/link: a link", "folder-link: a link", "deeper than", "not UTF-8"):
            assert words in told
        assert "passwd" not in told
        restore(made.file, Targets(tmp_path / "new/course", tmp_path / "new/hub"))
        assert sorted(path.name for path in (tmp_path / "new/hub/homes/ada").iterdir()) == ["d", "work"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="owners are only changed by root")
    def test_a_home_keeps_its_owner(self, hub: HubSettings, tmp_path: Path) -> None:
        home = hub.state / "homes" / "ada"
        for path in (home, home / "work", home / "work/notes.txt"):
            os.chown(path, 64777, 64777)
        (hub.state / "homes" / "strange").mkdir()
        os.chown(hub.state / "homes" / "strange", 1234, 1234)
        made = back_up(holdings(hub), tmp_path / "all.tar.gz")
        restore(made.file, Targets(tmp_path / "new/course", tmp_path / "new/hub"))
        homes = tmp_path / "new/hub/homes"
        assert {path.stat().st_uid for path in (homes / "ada").rglob("*")} == {64777}
        assert (homes / "ada").stat().st_uid == 64777
        assert 64600 <= (homes / "strange").stat().st_uid <= 65500

    def test_a_damaged_database_is_no_backup(self, hub: HubSettings, tmp_path: Path) -> None:
        (hub.state / "accounts.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
        with pytest.raises(PlatformError, match="accounts"):
            back_up(holdings(hub), tmp_path / "all.tar.gz")
        assert not list(tmp_path.glob("*.tar.gz"))

    def test_a_cut_or_changed_archive_is_refused(self, hub: HubSettings, tmp_path: Path) -> None:
        whole = back_up(holdings(hub), tmp_path / "all.tar.gz").file.read_bytes()
        plain = bytearray(gzip.decompress(whole))
        spot = plain.index(b"mine")
        plain[spot : spot + 4] = b"MINE"
        wrong = {
            "cut": whole[: len(whole) // 2],
            "cut well": gzip.compress(bytes(plain)[: (len(plain) // 2) // 512 * 512]),
            "changed": gzip.compress(bytes(plain)),
            "noise": b"\x1f\x8b" + bytes(range(7, 256)) * 12,
            "a head that goes on": b"\x1f\x8b\x08\x04" + 3000 * b"\x07",
            "empty": b"",
        }
        for name, data in wrong.items():
            file = tmp_path / f"{name}.tar.gz"
            file.write_bytes(data)
            with pytest.raises(PlatformError, match="nothing was restored"):
                check(file)
            with pytest.raises(PlatformError, match="nothing was restored"):
                restore(file, Targets(tmp_path / "new/course", tmp_path / "new/hub"))
        assert list((tmp_path / "new").iterdir()) == []


Change = Callable[[tarfile.TarFile], None]


def entry(name: str, data: bytes = b"x", **fields: object) -> Change:
    def add(tar: tarfile.TarFile) -> None:
        header = tarfile.TarInfo(name)
        header.size = len(data)
        for key, value in fields.items():
            setattr(header, key, value)
        tar.addfile(header, io.BytesIO(data) if header.isreg() else None)

    return add


def header_of(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> Change:
    """A header that promises more than there is."""

    def add(tar: tarfile.TarFile) -> None:
        header = tarfile.TarInfo(name)
        header.type, header.size = kind, size
        assert tar.fileobj is not None
        tar.fileobj.write(header.tobuf())

    return add


def both(*changes: Change) -> Change:
    def add(tar: tarfile.TarFile) -> None:
        for change in changes:
            change(tar)

    return add


NO_NAME, NO_FILE, DAMAGED = "is no name in", "a link, a device or the like", "is not what the manifest says"


def hostile() -> dict[str, tuple[str, Change]]:
    """By trick: the words that refuse it, and what it puts into the archive before its end."""
    end = entry(MANIFEST, empty())
    return {
        "goes up": (NO_NAME, both(entry("course/../../evil"), end)),
        "absolute": (NO_NAME, both(entry("/evil"), end)),
        "unknown folder": (NO_NAME, both(entry("evil/x"), end)),
        "the folder itself": (NO_NAME, both(entry("course"), end)),
        "empty step": (NO_NAME, both(entry("course//x"), end)),
        "dot": (NO_NAME, both(entry("course/./x"), end)),
        "too deep": (NO_NAME, both(entry("course/" + "d/" * 80 + "x"), end)),
        "symbolic link": (NO_FILE, entry("course/x", b"", type=tarfile.SYMTYPE, linkname="/etc")),
        "hard link": (NO_FILE, entry("course/x", b"", type=tarfile.LNKTYPE, linkname="/etc/passwd")),
        "device": (NO_FILE, entry("course/x", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3)),
        "pipe": (NO_FILE, entry("course/x", b"", type=tarfile.FIFOTYPE)),
        "sparse": (NO_FILE, entry("course/x", b"", type=tarfile.GNUTYPE_SPARSE)),
        "global header": (NO_FILE, entry("course/x", b"", type=tarfile.XGLTYPE)),
        "gnu's long name": (NO_FILE, entry("course/x", b"", type=tarfile.GNUTYPE_LONGNAME)),
        "huge header": ("a header of 4294967296 bytes", header_of("course/x", 1 << 32, tarfile.XHDTYPE)),
        "no such room": ("not enough room", header_of("course/x", 1 << 60)),
        "less than it says": ("unexpected end of data", header_of("course/x", 1 << 20)),
        "file as folder": ("can't be read to its end", both(entry("course/x"), entry("course/x/y"), end)),
        "twice": ("is twice in it", both(entry("course/x"), entry("course/x", b"y"), end)),
        "not in the manifest": (DAMAGED, both(entry("course/x"), end)),
        "after the end": ("after its end", both(end, entry("course/x"))),
        "nothing": ("it ends before its manifest", both()),
        "deep manifest": ("can't be used", entry(MANIFEST, b"[" * 100_000)),
        "another kind": ("can't be used", entry(MANIFEST, json.dumps({"kind": "other"}).encode())),
        "half a manifest": ("can't be used", entry(MANIFEST, b'{"kind": "mlsys backup 1", "made": 1}')),
    }


def empty(*files: FileRecord) -> bytes:
    return Manifest("now", "1", "/nowhere", (Part.COURSE,), files, (), (), {}).text()


@pytest.mark.parametrize("trick", hostile())
def test_a_hostile_archive_is_refused_and_leaves_nothing(trick: str, tmp_path: Path) -> None:
    file, (words, put) = tmp_path / "evil.tar.gz", hostile()[trick]
    with tarfile.open(file, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        put(tar)
    with pytest.raises(PlatformError, match=words):
        restore(file, Targets(tmp_path / "new" / "course"))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["evil.tar.gz", "new"]


def test_a_harmless_archive_of_the_same_making_is_taken(tmp_path: Path) -> None:
    """The tricks above fail for what they are, not for how these tests make archives."""
    file = tmp_path / "good.tar.gz"
    with tarfile.open(file, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        entry("course/x", mode=0o6777)(tar)
        entry(MANIFEST, empty(FileRecord("course/x", 1, hashlib.sha256(b"x").hexdigest())))(tar)
    restore(file, Targets(tmp_path / "new" / "course"))
    found = tmp_path / "new" / "course" / "x"
    assert (found.read_bytes(), found.stat().st_mode & 0o7777) == (b"x", 0o755)


def test_a_value_for_postgresqls_programs_is_quoted_and_holds_no_password() -> None:
    url = parse(r"postgresql://a'b:secret@/x%5Cy?host=/run/pg%20sql&sslmode=require")
    assert conninfo(url) == r"host='/run/pg sql' user='a\'b' dbname='x\\y' sslmode='require'"
