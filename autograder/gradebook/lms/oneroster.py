"""OneRoster 1.2: line items and results as a zip of CSV files with a manifest, for a student information
system.

Ids of students, class, school and the like are the system's own: they are asked for and never made up; those
of our line items and results are made from ours, so that a second file says the same of the same. All is
"bulk": status and dateLastModified are empty, as the standard demands of it.
"""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Sequence

from autograder.errors import AuthorError
from autograder.gradebook.gradetable import GradeState
from autograder.gradebook.lms.inert import inert, one_line
from autograder.gradebook.lms.plan import EXCUSED_MARK, Entry, Item, Options
from autograder.gradebook.lms.writing import csv_bytes

NAMESPACE = uuid.UUID("6e1f2f0b-6f5a-4c3c-9b0a-2f6f7b0a3d15")
PLACES = ("class", "school", "session", "category")
SOURCED_ID = re.compile(r"[!-~]{1,255}")
WRITTEN = ("lineItems", "results")
FILES = (
    "academicSessions", "categories", "classes", "classResources", "courses", "courseResources",
    "demographics", "enrollments", "lineItemLearningObjectiveIds", "lineItems", "lineItemScoreScales", "orgs",
    "resources", "resultLearningObjectiveIds", "results", "resultScoreScales", "roles", "scoreScales",
    "userProfiles", "userResources", "users",
)  # fmt: skip
LINE_ITEM = (
    "sourcedId", "status", "dateLastModified", "title", "description", "assignDate", "dueDate",
    "classSourcedId", "categorySourcedId", "academicSessionSourcedId", "resultValueMin", "resultValueMax",
    "schoolSourcedId",
)  # fmt: skip
RESULT = (
    "sourcedId", "status", "dateLastModified", "lineItemSourcedId", "studentSourcedId", "scoreStatus",
    "score", "scoreDate", "comment", "textScore", "classSourcedId", "inProgress", "incomplete", "late",
    "missing",
)  # fmt: skip
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write(items: Sequence[Item], options: Options) -> bytes:
    """The zip. Raises AuthorError where an id of the system's isn't given."""
    places = require_places(options)
    line_items, results = [list(LINE_ITEM)], [list(RESULT)]
    for item in items:
        key = item.column if item.is_named else sourced_id(item, "")
        line_items.append(_line_item(item, key, places, options))
        results += [_result(item, key, entry, places, options) for entry in item.entries]
    tables = {
        "manifest.csv": [["propertyName", "value"], *_manifest()],
        "lineItems.csv": line_items,
        "results.csv": results,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            about = zipfile.ZipInfo(name, ZIP_TIME)
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, csv_bytes(rows, line_end="\r\n"))
    return out.getvalue()


def require_places(options: Options) -> dict[str, str]:
    """The ids of class, school, session and category. Raises AuthorError."""
    for name, value in options.places.items():
        if name not in PLACES or not SOURCED_ID.fullmatch(value):
            raise AuthorError(f"--oneroster {name}={value}: give {', '.join(PLACES)}, each with a sourcedId")
    missing = [name for name in PLACES if name not in options.places]
    if missing:
        ways = " ".join(f"--oneroster {name}=SOURCEDID" for name in missing)
        raise AuthorError(f"OneRoster wants the information system's own ids; say {ways}")
    return dict(options.places)


def sourced_id(item: Item, student: str) -> str:
    """The id of a line item or a result: the same each time for the same."""
    course = item.entries[0].grade.course if item.entries else ""
    return str(uuid.uuid5(NAMESPACE, "\0".join((course, item.id, student))))


def _manifest() -> list[list[str]]:
    rows = [["manifest.version", "1.0"], ["oneroster.version", "1.2"]]
    rows += [[f"file.{name}", "bulk" if name in WRITTEN else "absent"] for name in FILES]
    return [*rows, ["source.systemName", "mlsys-course"]]


def _line_item(item: Item, key: str, places: dict[str, str], options: Options) -> list[str]:
    title = one_line(item.entries[0].grade.title if item.entries else item.id)
    opens, due = options.dates.get(item.id, (options.today, options.today))
    known = {
        "sourcedId": key,
        "title": title,
        "assignDate": opens.isoformat(),
        "dueDate": due.isoformat(),
        "classSourcedId": places["class"],
        "categorySourcedId": places["category"],
        "academicSessionSourcedId": places["session"],
        "resultValueMin": "0",
        "resultValueMax": item.maximum_text,
        "schoolSourcedId": places["school"],
    }
    return [known.get(name, "") for name in LINE_ITEM]


def _result(item: Item, key: str, entry: Entry, places: dict[str, str], options: Options) -> list[str]:
    excused = entry.score == EXCUSED_MARK
    missing = entry.grade.state is GradeState.MISSING
    known = {
        "sourcedId": sourced_id(item, entry.student.sis_id),
        "lineItemSourcedId": key,
        "studentSourcedId": entry.student.sis_id,
        "scoreStatus": "exempt" if excused else "not submitted" if missing else "fully graded",
        "score": "" if excused else entry.score,
        "scoreDate": options.today.isoformat(),
        "comment": inert(entry.feedback),
        "classSourcedId": places["class"],
        "inProgress": "false",
        "incomplete": "false",
        "late": str(entry.grade.late_seconds > 0).lower(),
        "missing": str(missing).lower(),
    }
    return [known.get(name, "") for name in RESULT]
