"""What each system's import makes of a file: small importers of our own, by what was observed of the real ones.

They share no code with the writers. Each returns {student id: (score, ...)} or raises Refused, as the real one
refuses or silently drops. ``score`` is what the system would store.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree


class Refused(Exception):
    """The import stops."""


@dataclass
class Canvas:
    """A Canvas course. ``people``: (Canvas id, SIS id, log-in, name); ``assignments``: id -> title."""

    people: Sequence[tuple[str, str, str, str]]
    assignments: Mapping[str, str]
    scores: dict[tuple[str, str], str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)
    unmatched: list[list[str]] = field(default_factory=list)

    def load(self, data: bytes) -> None:
        text = data.decode("utf-8-sig")
        rows = next(rows for sign in ",;" if (rows := consistent(text, sign)))
        header = rows[0]
        info = next((n for n, name in enumerate(header) if "Section" in name), 0)
        head = header[: info + 1]
        known = {"Student", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "Section"}
        if len(header) <= 3 or "Student" not in header[0] or "ID" not in header[1] or not set(head) <= known:
            raise Refused("Invalid header row")
        points, ignored = self._columns(header, info, rows)
        for row in rows[1:]:
            if (
                row in points
                or not any(row)
                or all(c.startswith(("Muted", "Manual Posting")) for c in row if c)
            ):
                continue
            row = [canvas_number(cell) for cell in row]
            person = self._person(dict(zip(head, row, strict=False)))
            if person is None:
                self.unmatched.append(row)
                continue
            for index in range(info + 1, len(header)):
                if index not in ignored:
                    self.scores[person, self._assignment(header[index])] = canvas_score(row[index])

    def _columns(
        self, header: list[str], info: int, rows: list[list[str]]
    ) -> tuple[list[list[str]], set[int]]:
        points = [row for row in rows[1:3] if "Points Possible" in row[0]]
        ignored = {
            n
            for n, name in enumerate(header)
            if re.search("(Current|Final|Override) (Score|Points|Grade)", name)
        }
        for row in points:
            ignored |= {n for n, cell in enumerate(row) if re.search(r"read\s+only", cell)}
            for index in range(info + 1, len(header)):
                if self._assignment(header[index]) == header[index] and index not in ignored:
                    self.new[header[index]] = row[index]
        return points, ignored

    def _assignment(self, title: str) -> str:
        """An id, else the title of what would be made anew."""
        found = re.fullmatch(r"(.*)\s\((\d+)\)", title, re.DOTALL)
        if found and found[2] in self.assignments:
            return found[2]
        return next((number for number, name in self.assignments.items() if name == title), title)

    def _person(self, row: dict[str, str]) -> str | None:
        for column, place in (("ID", 0), ("SIS User ID", 1), ("SIS Login ID", 2), ("Student", 3)):
            for person in self.people:
                if row.get(column) and person[place] == row[column]:
                    return person[0]
        return None


def consistent(text: str, delimiter: str) -> list[list[str]]:
    """The rows, where the first three have as many fields each, and more than one."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return []
    widths = {len(row) for row in rows[:3]}
    return rows if len(widths) == 1 and widths != {1} else []


def canvas_number(cell: str) -> str:
    """What has only digits and separators: the last separator becomes the point, the others go."""
    if not re.fullmatch(r"[\d.,%]+", cell) or not re.search("[.,]", cell):
        return cell
    whole, _, rest = re.sub(r"[.,](?=.*[.,])", "", cell).replace(",", ".").partition(".")
    return f"{whole}.{rest}"


def canvas_score(cell: str) -> str:
    if cell.upper() == "EX":
        return "EX"
    return f"{float(cell):.2f}" if cell else ""


def fgetcsv(text: str, delimiter: str = ",") -> list[list[str]]:
    """PHP's reader, where lines end in a line feed: a backslash inside quotes takes the meaning of whatever
    follows. Compared with PHP 8.2 on 5,500 random texts: the same, but for a file that ends inside quotes."""
    rows: list[list[str]] = []
    at, size = 0, len(text)
    while at < size:
        row: list[str] = []
        while True:
            cell = []
            inside = at + len(text[at:]) - len(text[at:].lstrip(" \t"))
            if text[inside : inside + 1] == '"':
                at = inside + 1
                while at < size:
                    sign = text[at]
                    if sign == "\\" and at + 1 < size:
                        cell.append(text[at : at + 2])
                        at += 2
                    elif sign == '"' and text[at + 1 : at + 2] == '"':
                        cell.append('"')
                        at += 2
                    elif sign == '"':
                        at += 1
                        break
                    else:
                        cell.append(sign)
                        at += 1
            while at < size and text[at] not in (delimiter, "\n", "\r"):
                cell.append(text[at])
                at += 1
            row.append("".join(cell))
            if at < size and text[at] == delimiter:
                at += 1
                continue
            at += 2 if text[at : at + 2] == "\r\n" else 1
            break
        rows.append(row)
    return rows


def moodle_rows(data: bytes) -> list[list[str]]:
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    rows = fgetcsv(text)
    if len({len(row) for row in rows}) != 1:
        raise Refused("number of columns is not constant")
    return rows


@dataclass
class Moodle:
    """A Moodle course. ``people``: (ID number, user name, e-mail). ``scores``: by user name; None for null."""

    people: Sequence[tuple[str, str, str]]
    maximum: float = 100
    scores: dict[str, float | None] = field(default_factory=dict)
    feedback: dict[str, str] = field(default_factory=dict)

    def load(self, data: bytes, by: str, item: str, feedback: str | None = None) -> None:
        """The gradebook's CSV import, with columns mapped as the form has it."""
        rows = moodle_rows(data)
        header = rows[0]
        new: dict[str, float | None] = {}
        said: dict[str, str] = {}
        for row in rows[1:]:
            user = self._user(by, row[header.index(by)])
            new[user] = self._grade(row[header.index(item)])
            if feedback:
                text = row[header.index(feedback)]
                said[user] = f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
        self.scores.update(new)
        self.feedback.update(said)

    def load_xml(self, data: bytes, item: str) -> None:
        """By id numbers; the first mistake stops all of it."""
        new, said = {}, {}
        for result in ElementTree.fromstring(data):  # noqa: S314 -- our own file
            if result.findtext("assignment") != item:
                raise Refused("incorrect grade item")
            user = self._user("ID number", result.findtext("student") or "")
            score = result.findtext("score") or ""
            new[user] = None if score == "-" else self._grade(score)
            if result.find("feedback") is not None:
                said[user] = result.findtext("feedback") or ""
        self.scores.update(new)
        self.feedback.update(said)

    def _user(self, by: str, value: str) -> str:
        place = ("ID number", "Username", "Email address").index(by)
        for person in self.people:
            same = person[place] == value if place == 0 else person[place].lower() == value.lower()
            if value and same:
                return person[1]
        raise Refused(f"unknown user {value!r}")

    def _grade(self, text: str) -> float | None:
        if text in ("", "-"):
            return None
        if not re.fullmatch(r"\d+(\.\d+)?", text) or float(text) > self.maximum:
            raise Refused(f"bad grade {text!r}")
        return round(float(text), 5)


def moodle_worksheet(
    data: bytes, participants: Collection[str], maximum: float
) -> dict[str, tuple[float, str]]:
    """An assignment's upload: rows that don't fit are skipped without a word."""
    rows = moodle_rows(data)
    header = rows[0]
    at = {name: header.index(name) for name in ("Identifier", "Grade", "Last modified (grade)")}
    said = header.index("Feedback comments") if "Feedback comments" in header else None
    found = {}
    for row in rows[1:]:
        number, grade = row[at["Identifier"]].removeprefix("Participant "), row[at["Grade"]]
        if number in participants and grade not in ("", "-") and 0 <= float(grade) <= maximum:
            found[number] = (float(grade), "" if said is None else row[said])
    return found


def blackboard(data: bytes, columns: Mapping[str, str], users: Collection[str]) -> dict[tuple[str, str], str]:
    """(user, column id) -> what is stored; a column without a known id would be made anew, which is refused here."""
    mark = data[:2] == b"\xff\xfe"
    text = data.decode("utf-16" if mark else "utf-8-sig")
    rows = list(
        csv.reader(
            io.StringIO(text, newline=""), delimiter="\t" if "\t" in text.split("\n")[0] else ",", strict=True
        )
    )
    user = rows[0].index("Username")
    found = {}
    for index, name in enumerate(rows[0]):
        number = name.rpartition("|")[2]
        if "|" in name and number not in columns:
            raise Refused(f"new text column {name!r}")
        for row in rows[1:]:
            if "|" in name and row[index] and row[user] in users:
                found[row[user], number] = row[index]
    return found


def brightspace(data: bytes, users: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """(user name, item) -> score. ``users``: OrgDefinedId -> user name."""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    found = {}
    for row in rows:
        if "End-of-Line Indicator" in row and row["End-of-Line Indicator"] != "#":
            raise Refused("line without its end")
        by_id = users.get((row.get("OrgDefinedId") or "").removeprefix("#"))
        by_name = (row.get("Username") or "").removeprefix("#")
        user = by_id or (by_name if by_name in users.values() else None)
        for name, value in row.items():
            item = re.fullmatch(r"(.*) Points Grade(?: <.*>)?", name or "", re.DOTALL)
            if user and item and value:
                found[user, item[1]] = value
    return found


SAKAI_ITEM = re.compile(r"([^\[]+)(\[(\d+([\.,]\d\d?)?)\])?")


def sakai(
    data: bytes, users: Collection[str]
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], str]]:
    """Scores and comments by (user, title)."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    titles: dict[int, tuple[str, str]] = {}
    for index, name in enumerate(rows[0][2:], 2):
        kind = "comment" if name.startswith("* ") else "ignored" if name.startswith("#") else "item"
        found = SAKAI_ITEM.fullmatch(name.removeprefix("* "))
        if found is None:
            raise Refused(f"invalid heading {name!r}")
        titles[index] = (kind, found[1].strip())
    if len(set(titles.values())) != len(titles):
        raise Refused("duplicate heading")
    if any(kind == "comment" and ("item", title) not in titles.values() for kind, title in titles.values()):
        raise Refused("comments of nothing")
    students = [row[0] for row in rows[1:]]
    if len(set(students)) != len(students):
        raise Refused("duplicate student")
    scores, comments = {}, {}
    for row in rows[1:]:
        for index, (kind, title) in titles.items():
            if row[0] in users and row[index] and kind == "item":
                scores[row[0], title] = float(row[index])
            elif row[0] in users and kind == "comment":
                comments[row[0], title] = row[index]
    return scores, comments


ONEROSTER_FILES = 21


def oneroster(data: bytes) -> tuple[dict[str, dict[str, str]], dict[tuple[str, str], dict[str, str]]]:
    """Line items by id, results by (line item, student), each file checked against the manifest."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        tables = {name: archive.read(name).decode() for name in archive.namelist()}
    read = {
        name: list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        for name, text in tables.items()
    }
    manifest = {row["propertyName"]: row["value"] for row in read.pop("manifest.csv")}
    files = {name: value for name, value in manifest.items() if name.startswith("file.")}
    if (manifest["manifest.version"], manifest["oneroster.version"], len(files)) != (
        "1.0",
        "1.2",
        ONEROSTER_FILES,
    ):
        raise Refused("manifest")
    there = {f"file.{name.removesuffix('.csv')}" for name in read}
    if {name for name, value in files.items() if value != "absent"} != there:
        raise Refused("the manifest and the files differ")
    for name, rows in read.items():
        for row in rows:
            if files[f"file.{name.removesuffix('.csv')}"] == "bulk" and (
                row["status"] or row["dateLastModified"]
            ):
                raise Refused("bulk with a status")
    items = {row["sourcedId"]: row for row in read["lineItems.csv"]}
    results = {}
    for row in read["results.csv"]:
        if row["lineItemSourcedId"] not in items:
            raise Refused("a result of nothing")
        statuses = ("exempt", "fully graded", "not submitted", "partially graded", "submitted")
        if row["scoreStatus"] not in statuses or not re.fullmatch(r"\d{4}-\d\d-\d\d", row["scoreDate"]):
            raise Refused(f"bad result {row}")
        if any(
            row[name] not in ("true", "false", "") for name in ("inProgress", "incomplete", "late", "missing")
        ):
            raise Refused("no truth")
        results[row["lineItemSourcedId"], row["studentSourcedId"]] = row
    if len({row["sourcedId"] for row in read["results.csv"]}) != len(read["results.csv"]):
        raise Refused("an id twice")
    return items, results
