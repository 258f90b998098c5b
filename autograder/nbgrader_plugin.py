"""nbgrader's autograder, judging from outside: one line replaces ``Execute`` in any nbgrader course.

In ``nbgrader_config.py``::

    c = get_config()
    c.Autograde.autograde_preprocessors = [
        "autograder.nbgrader_plugin.SandboxedJudge",
        "nbgrader.preprocessors.IgnorePattern",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]

or, which also repairs broken submissions before nbgrader looks at them and keeps hidden tests out
of ``nbgrader generate_feedback``::

    import autograder.nbgrader_plugin
    autograder.nbgrader_plugin.configure(c)

Contract: nothing of a submission runs in this process. The marks are those that ``Execute`` would
have led to for an honest submission, except that text on stderr costs nothing. A fault of the
platform raises, so that nbgrader records no mark. The source notebook has to be in ``source/``.
"""

from __future__ import annotations

import secrets
import weakref
from dataclasses import fields
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters.autograde import Autograde
from nbgrader.preprocessors import Execute, GetGrades, IncludeHeaderFooter, NbGraderPreprocessor
from traitlets import Float, Integer, TraitError

from autograder.errors import AuthorError, PlatformError, SubmissionError
from autograder.gradebook.attempts import GradedNotebook
from autograder.gradebook.marking import with_outputs
from autograder.gradebook.rows import complete
from autograder.judge import Court, NotebookResult, Settings, Verdict, plan_notebook
from autograder.repair import Repaired, SubmittedNotebook, released_text, repair, role_of
from autograder.sandbox import DEFAULT_LIMITS, Limits

Resources = dict[str, Any]


class RepairCells(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Rebuilds a submission on its source; first in ``Autograde.sanitize_preprocessors``."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Called by nbgrader for each notebook."""
        repaired, _ = self.repaired(nb, resources)
        return repaired.notebook, resources

    def repaired(self, nb: NotebookNode, resources: Resources) -> tuple[Repaired, NotebookNode]:
        """The repaired notebook, with the checksums of the release, and the source notebook.

        Raises SubmissionError for a submission that is no notebook.
        """
        rows = self._released(resources)
        source = self._source(resources, rows)
        repaired = repair(source, nb, name=resources["nbgrader"]["notebook"])
        for each in repaired.repairs:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], each.sentence)
        self._mark(repaired.notebook, rows)
        return repaired, source

    def _mark(self, nb: NotebookNode, rows: dict[str, Any]) -> None:
        """nbgrader tells an unchanged answer by the checksum of the release."""
        for cell in nb.cells:
            own = cell.metadata.get("nbgrader")
            if own and own.grade_id in rows:
                own.checksum = rows[own.grade_id].checksum

    def _released(self, resources: Resources) -> dict[str, Any]:
        """The cells as nbgrader released them, by grade_id."""
        asked = resources["nbgrader"]
        with Gradebook(asked["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(asked["notebook"], asked["assignment"])
            rows = {row.name: row for row in notebook.source_cells}
            gradebook.db.expunge_all()
        return rows

    def _source(self, resources: Resources, rows: dict[str, Any]) -> NotebookNode:
        """The instructor's notebook: of the course's own cells, the text that was released.

        nbgrader adds a header and a footer and writes ``AUTOTEST`` cells when it releases.
        """
        path = self._source_path(resources["nbgrader"])
        try:
            source = nbformat.read(path, 4)
        except (OSError, ValueError) as error:
            raise PlatformError(f"the source notebook {path} can't be read: {error}; put it there") from error
        source, _ = IncludeHeaderFooter(parent=self.parent).preprocess(source, resources)
        language = source.metadata.get("kernelspec", {}).get("language", "python")
        if language != "python":
            raise AuthorError(f"{path} is in {language}; only Python is judged here, use Execute for it")
        for cell in source.cells:
            row = rows.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            if row is not None and role_of(cell).is_the_courses:
                cell.source = row.source
        found: NotebookNode = source
        return found

    def _source_path(self, asked: dict[str, str]) -> Path:
        coursedir = _coursedir(self)
        if coursedir is None:
            raise PlatformError(f"{type(self).__name__} works within `nbgrader autograde` only")
        folder = coursedir.format_path(coursedir.source_directory, ".", asked["assignment"])
        return Path(folder) / f"{asked['notebook']}.ipynb"


class SandboxedJudge(RepairCells):
    """Judges a submission in boxes; in the place of ``Execute``.

    The limits are for source notebooks without our own metadata, which has them all.
    """

    cell_seconds = Float(DEFAULT_LIMITS.cell_seconds, help="Wall-clock seconds for one cell").tag(config=True)
    notebook_seconds = Float(DEFAULT_LIMITS.notebook_seconds, help="Wall-clock seconds for all cells").tag(
        config=True
    )
    cpu_seconds = Float(DEFAULT_LIMITS.cpu_seconds, help="Processor seconds for a notebook").tag(config=True)
    memory_mb = Integer(DEFAULT_LIMITS.memory_mb, help="Memory in MB").tag(config=True)
    processes = Integer(DEFAULT_LIMITS.processes, help="Processes and threads").tag(config=True)
    file_mb = Integer(DEFAULT_LIMITS.file_mb, help="Size of one file in MB").tag(config=True)
    output_kb = Integer(DEFAULT_LIMITS.output_kb, help="Output of a notebook in KB").tag(config=True)
    tmp_mb = Integer(DEFAULT_LIMITS.tmp_mb, help="Size of /tmp in MB").tag(config=True)
    check_seconds = Float(30.0, help="Wall-clock seconds for one test cell").tag(config=True)

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        unknown = set(self.config.get("SandboxedJudge", {})) - set(self.trait_names(config=True))
        if unknown:
            known = ", ".join(sorted(self.trait_names(config=True)))
            raise TraitError(f"c.SandboxedJudge has no {', '.join(sorted(unknown))}; it has {known}")
        self.settings = self._traits_settings()

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Called by nbgrader for each notebook; ``SaveAutoGrades`` reads the marks from the outputs."""
        try:
            repaired, source = self.repaired(nb, resources)
            problem = ""
        except SubmissionError as error:
            rows = self._released(resources)
            source = self._source(resources, rows)
            repaired, problem = repair(source, SubmittedNotebook(cells=())), str(error)
            self._mark(repaired.notebook, rows)
        name = resources["nbgrader"]["notebook"]
        result = None if problem else self._judge(repaired, source)
        judged = complete(GradedNotebook(name, source, repaired, result, problem))
        return with_outputs(repaired.notebook, judged), resources

    def _judge(self, repaired: Repaired, source: NotebookNode) -> NotebookResult:
        plan = plan_notebook(repaired.notebook, source)
        settings = Settings.of_source(source) if "mlsys" in source.metadata else self.settings
        result = _court(_converter(self)).judge(plan, settings, secrets.token_bytes(32))
        if result.verdict is Verdict.FAULT:
            words = next(check.message for check in result.checks if check.verdict is Verdict.FAULT)
            raise PlatformError(f"not judged, so no mark is recorded: {words} Run `mlsys doctor`.")
        return result

    def _traits_settings(self) -> Settings:
        try:
            limits = Limits(**{each.name: getattr(self, each.name) for each in fields(Limits)})
        except ValueError as error:
            raise TraitError(f"c.SandboxedJudge: {error}") from error
        if not 0 < self.check_seconds < 86_400:
            raise TraitError(f"c.SandboxedJudge.check_seconds must be positive, not {self.check_seconds}")
        return Settings(limits=limits, check_seconds=self.check_seconds)


class HideTests(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Takes hidden tests and marking schemes out; first in ``GenerateFeedback.preprocessors``.

    Unlike nbgrader's ``ClearHiddenTests`` it leaves answers alone, so that a student who writes
    a marker into one can't make the feedback fail.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, cell_index: int
    ) -> tuple[NotebookNode, Resources]:
        """Called by nbgrader for each cell."""
        if role_of(cell).is_the_courses:
            cell.source = released_text(cell.source)
        return cell, resources


def configure(c: Any) -> None:
    """Sets the preprocessors of autograding and of feedback in an ``nbgrader_config.py``."""
    stock = Autograde.class_traits()
    c.Autograde.sanitize_preprocessors = [RepairCells, *stock["sanitize_preprocessors"].default()]
    c.Autograde.autograde_preprocessors = [
        SandboxedJudge if each is Execute else each for each in stock["autograde_preprocessors"].default()
    ]
    c.GenerateFeedback.preprocessors = [HideTests, GetGrades, CSSHTMLHeaderPreprocessor]


def _converter(preprocessor: Any) -> Any:
    """The converter that runs a preprocessor: its parent is the exporter, and the exporter's that."""
    return preprocessor.parent.parent


def _coursedir(preprocessor: Any) -> Any:
    """nbgrader's course directory, None outside a converter."""
    found = preprocessor
    while found is not None and not hasattr(found, "coursedir"):
        found = getattr(found, "parent", None)
    return found.coursedir if found is not None else None


def _court(converter: Any) -> Court:
    """The converter's court: started for its first notebook, closed when nbgrader drops it."""
    court: Court | None = getattr(converter, "mlsys_court", None)
    if court is None:
        court = Court()
        court.start()
        weakref.finalize(converter, court.close)
        converter.mlsys_court = court
    return court
