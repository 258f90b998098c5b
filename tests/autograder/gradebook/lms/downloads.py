"""Files as a teacher downloads them, of the class in ``classes``: made here, byte for byte as observed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from autograder.gradebook.gradetable import StudentKeys
from tests.autograder.gradebook.lms.classes import MAXIMUM, TITLE

Held = Mapping[str, str]  # hub name -> what the grade's cell holds


def written(
    rows: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\r\n", *, all_quoted: bool = False
) -> str:
    out = io.StringIO(newline="")
    csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL,
    ).writerows(rows)
    return out.getvalue()


def canvas(people: Sequence[StudentKeys], held: Held | None = None, *, delimiter: str = ",") -> str:
    """A gradebook export with a posting row, a calculated column and an older assignment."""
    header = [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Root Account",
        "Section",
        "Notes",
        "Old (70)",
        f"{TITLE} (77)",
        "Labs Current Score",
    ]
    rows = [
        header,
        [*[""] * 8, "Manual Posting", ""],
        ["    Points Possible", *[""] * 6, "10", f"{MAXIMUM:g}", "(read only)"],
    ]
    for who in people:
        grade = (held or {}).get(who.name, "")
        rows.append(
            [
                who.full_name,
                who.lms_id,
                who.sis_id,
                who.login,
                "uni.example",
                "A and B",
                "",
                "3.5",
                grade,
                "35.0",
            ]
        )
    rows.append(["Student, Test", "999999", "", "f00ba4", "", "A", "", "", "", ""])
    return written(rows, delimiter, "\n")


WORKSHEET = (
    "Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade", "Grade can be changed",
    "Last modified (submission)", "Online text", "Last modified (grade)", "Feedback comments",
)  # fmt: skip


def php_quoted(value: str) -> str:
    """As PHP's fputcsv: no doubling after a backslash."""
    if not any(sign in value for sign in ', "\\\n\r\t'):
        return value
    out, escaped = "", False
    for sign in value:
        out += '""' if sign == '"' and not escaped else sign
        escaped = sign == "\\"
    return f'"{out}"'


def moodle(
    people: Sequence[StudentKeys],
    held: Held | None = None,
    said: Held | None = None,
    cells: Held | None = None,
) -> bytes:
    """An offline worksheet: participant 4 is the first of ``people``. ``cells``: others in all rows."""
    rows: list[Sequence[str]] = [WORKSHEET]
    for number, who in enumerate(people, 4):
        row = {
            "Identifier": f"Participant {number}",
            "Full name": who.full_name,
            "Email address": who.email,
            "Status": "Submitted for grading - ",
            "Grade": (held or {}).get(who.name, ""),
            "Maximum Grade": "100.00",
            "Grade can be changed": "Yes",
            "Last modified (submission)": "Monday, 15 February 2027, 6:00 PM",
            "Last modified (grade)": "-",
            "Feedback comments": (said or {}).get(who.name, ""),
            **(cells or {}),
        }
        rows.append([row.get(name, "") for name in WORKSHEET])
    text = "".join(",".join(map(php_quoted, row)) + "\n" for row in rows)
    return b"\xef\xbb\xbf" + text.encode()


def blackboard(people: Sequence[StudentKeys], held: Held | None = None) -> str:
    header = [
        "Last Name",
        "First Name",
        "Username",
        "Student ID",
        "Last Access",
        "Availability",
        "Weighted Total [Total Pts: up to 0 Percentage] |664500",
        f"{TITLE} [Total Pts: 100] |664617",
    ]
    rows = [header]
    rows += [
        [who.full_name, "", who.login, who.sis_id, "2027-02-01", "Yes", "12", (held or {}).get(who.name, "")]
        for who in people
    ]
    return written(rows, "\t", "\r\n", all_quoted=True)


def brightspace(people: Sequence[StudentKeys], held: Held | None = None) -> str:
    header = [
        "OrgDefinedId",
        "Username",
        f"{TITLE} Points Grade <Numeric MaxPoints:100 Weight:10>",
        "End-of-Line Indicator",
    ]
    rows = [header]
    rows += [[f"#{who.sis_id}", f"#{who.login}", (held or {}).get(who.name, ""), "#"] for who in people]
    return written(rows)
