"""Opens the exchange of a course directory, or of a hub, where it is kept."""

from __future__ import annotations

from pathlib import Path

from course.reader import read_course
from course.records import Course
from hub.exchange.exchange import Exchange
from hub.exchange.places import exchange_database, exchange_storage
from hub.settings import HubSettings


def open_exchange(course: Course, course_dir: Path) -> Exchange:
    """The exchange of a course directory; see ``hub.exchange.places``."""
    database, storage = exchange_database(course_dir), exchange_storage(course_dir)
    return Exchange(course, course_dir, database=database, storage=storage)


def open_exchange_of(settings: HubSettings) -> Exchange:
    """The exchange of a hub: what hub.toml says goes before what the course directory says."""
    named = settings.storage
    return Exchange(
        read_course(settings.course),
        settings.course_dir,
        database=named.exchange_database or exchange_database(settings.course_dir),
        storage=named.exchange_files or exchange_storage(settings.course_dir),
    )
