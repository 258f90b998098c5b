"""Runs nbgrader's own generate_assignment, in a process of its own: nbgrader changes directory.

Contract: each line on stdin is a request, a JSON object of course_dir, release (a folder,
relative to it), stubs (the code stub by assignment, null for the configuration's own), database
(whether the gradebook is told) and url (another gradebook to tell, "" for the course's). Each is
answered by a line on stdout, a JSON list of [assignment, error or ""]. Started by
``course.release`` only.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from nbgrader.apps import NbGraderAPI
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import create_engine, inspect
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader


def generate(request: dict[str, Any], assignment: str) -> str:
    """Generates one assignment; the error's last words, empty for none."""
    course_dir = Path(request["course_dir"])
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(course_dir)).load_config()
    config.CourseDirectory.root = str(course_dir)
    config.CourseDirectory.release_directory = request["release"]
    if (stub := request["stubs"][assignment]) is not None:
        config.ClearSolutions.code_stub = {"python": stub}
    if request["url"]:
        config.CourseDirectory.db_url = request["url"]
    if not request["database"]:
        config.SaveCells.enabled = False
        config.GenerateAssignment.no_database = True
    api = NbGraderAPI(config=config)
    if request["database"]:
        stamp(api.coursedir.db_url)
    result = api.generate_assignment(assignment)
    return "" if result["success"] else _last_words(result)


def stamp(url: str) -> None:
    """Notes in an empty gradebook which of nbgrader's schemas it is going to have.

    nbgrader does so itself by a program that it finds by name, which loads all of nbgrader once more: 2 s.
    """
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            if not inspect(connection).get_table_names():
                MigrationContext.configure(connection).stamp(ScriptDirectory(ALEMBIC_DIR), "head")
    finally:
        engine.dispose()


def _last_words(result: dict[str, Any]) -> str:
    told = [
        line for key in ("log", "error") for line in str(result.get(key, "")).splitlines() if line.strip()
    ]
    raised = [line.strip() for line in told if "Error:" in line or "Exception:" in line]
    return (raised or told or ["nbgrader gave no reason"])[0]


def main() -> None:
    """Answers the requests on stdin."""
    for line in sys.stdin:
        request = json.loads(line)
        with redirect_stdout(sys.stderr):
            answers = [[assignment, generate(request, assignment)] for assignment in request["stubs"]]
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
