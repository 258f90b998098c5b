"""From notebook to plan: what runs in the box, what the judge runs, in which order.

Contract: the source notebook (the instructor's) decides which names are the student's, which
imports the judge makes itself, and where a check's hidden part lies. Nothing here is read from
what a student can edit except the text of their own cells.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.errors import AuthorError
from autograder.judge.parsing import parse
from autograder.judge.quiet import only_defines

# nbgrader's own rule: a line that contains the words, whatever stands around them.
BEGIN_HIDDEN = "BEGIN HIDDEN TESTS"
END_HIDDEN = "END HIDDEN TESTS"
# By text, so that `setattr(Tensor, "__add__", …)` counts too. In f"__{name}__" it is any.
SPECIAL = re.compile(r"__(?:[a-z]+|\{[^}]*\})__")
# Asked for each submission of cells that all of them share.
of_a_source = functools.lru_cache(maxsize=256)


@dataclass(frozen=True)
class RunStep:
    """A cell that runs in the box. ``question`` is its grade_id where it is a solution cell."""

    index: int
    source: str
    question: str | None
    binds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class CheckStep:
    """A test cell. ``hidden`` are the 1-based numbers of the lines that no student may see."""

    index: int
    check: str
    question: str
    source: str
    points: float
    hidden: frozenset[int]
    speed: bool = False

    def ends_hidden(self, line: int | None) -> bool:
        """Whether the statement with this line is hidden as a whole, and there's no code below that students
        can read."""
        module = parsed(self.source)
        if line is None or module is None:
            return False
        whole = [each for each in module.body if each.lineno <= line <= (each.end_lineno or 0)]
        hidden = {number for each in whole for number in range(each.lineno, (each.end_lineno or 0) + 1)}
        below = (text.split("#")[0].strip() for text in self.visible_source().split("\n")[line:])
        return bool(hidden) and hidden <= self.hidden and not any(below)

    def visible_source(self) -> str:
        """The source with the hidden lines blank, so that line numbers stay."""
        lines = self.source.split("\n")
        return "\n".join("" if n in self.hidden else line for n, line in enumerate(lines, 1))


Step = RunStep | CheckStep


@dataclass(frozen=True)
class Plan:
    """One notebook to judge.

    ``student_names`` are bound by the source's box cells, ``functions`` of them by def or class;
    ``reference`` are those cells, for the reference's box. ``quiet``: no cell below a check shows
    anything, and nothing is raced. ``operators`` are the special methods ("__add__") that the cells name;
    ``bases`` the classes of others that theirs inherit from ("torch.nn.Module").
    """

    steps: tuple[Step, ...]
    student_names: frozenset[str]
    functions: frozenset[str]
    imports: tuple[str, ...]
    reference: tuple[str, ...]
    quiet: bool = False
    operators: frozenset[str] = frozenset()
    bases: frozenset[str] = frozenset()

    @property
    def checks(self) -> tuple[CheckStep, ...]:
        return tuple(step for step in self.steps if isinstance(step, CheckStep))

    def uses(self, package: str) -> bool:
        """Whether the source's cells or checks name a package. What a student's cells say doesn't count."""
        texts = (*self.imports, *self.reference, *(step.source for step in self.checks))
        return any(package in text for text in texts)


def plan_notebook(notebook: Any, source: Any) -> Plan:
    """The plan for a repaired notebook (full test cells) against its source notebook.

    Both are nbformat v4 notebooks. Raises AuthorError for hidden-test markers that don't pair.
    """
    steps = tuple(steps_of(notebook, source_bindings(source)))
    boxed = [cell.source for cell in source.cells if cell.cell_type == "code" and not is_check(cell)]
    names = frozenset(name for text in boxed for name in bound_names(text))
    functions = frozenset(name for text in boxed for name in defined_names(text))
    every = [cell.source for cell in source.cells if cell.cell_type == "code"]
    imports = tuple(line for text in every for line in top_level_imports(text))
    return Plan(
        steps=steps,
        student_names=names,
        functions=functions,
        imports=imports,
        reference=tuple(boxed),
        quiet=is_quiet(steps),
        operators=frozenset(name for text in boxed for name in SPECIAL.findall(text)),
        bases=frozenset(name for text in boxed for name in base_names(text)) - names,
    )


def checks_of(source: Any) -> tuple[CheckStep, ...]:
    """The checks of a source notebook, all of its plan that most ask for. Raises as ``plan_notebook``."""
    return tuple(step for step in steps_of(source, {}) if isinstance(step, CheckStep))


def steps_of(notebook: Any, bindings: Mapping[str, frozenset[str]]) -> Iterator[Step]:
    """The steps of a repaired notebook. ``bindings``: what each of the source's box cells binds."""
    question: str | None = None
    for index, cell in enumerate(notebook.cells):
        meta = nbgrader_metadata(cell)
        if meta.get("solution"):
            question = str(meta.get("grade_id"))
        if cell.cell_type != "code":
            continue
        if is_check(cell):
            yield check_step(index, cell, question)
        elif cell.source.strip():
            own = str(meta.get("grade_id")) if meta.get("solution") else None
            binds = bindings.get(str(meta.get("grade_id")), frozenset())
            yield RunStep(index, cell.source, own, binds)


def is_quiet(steps: Iterable[Step]) -> bool:
    """As in ``Plan``."""
    below_a_check = False
    for step in steps:
        if isinstance(step, CheckStep):
            if step.speed:
                return False
            below_a_check = True
        elif below_a_check and not only_defines(step.source):
            return False
    return True


def source_bindings(source: Any) -> dict[str, frozenset[str]]:
    """What each of the source's box cells binds, by grade_id."""
    bindings = {}
    for cell in source.cells:
        grade_id = nbgrader_metadata(cell).get("grade_id")
        if cell.cell_type == "code" and grade_id and not is_check(cell):
            bindings[str(grade_id)] = bound_names(cell.source)
    return bindings


def nbgrader_metadata(cell: Any) -> dict[str, Any]:
    meta = cell.metadata.get("nbgrader", {})
    return meta if isinstance(meta, dict) else {}


def is_check(cell: Any) -> bool:
    """A cell whose tests decide points: graded and not the student's to edit."""
    meta = nbgrader_metadata(cell)
    return cell.cell_type == "code" and bool(meta.get("grade")) and not meta.get("solution")


def check_step(index: int, cell: Any, question: str | None) -> CheckStep:
    meta, own = nbgrader_metadata(cell), cell.metadata.get("mlsys", {})
    check = str(meta["grade_id"])
    return CheckStep(
        index=index,
        check=check,
        question=str(own.get("question") or question or check),
        source=cell.source,
        points=float(meta.get("points", 0)),
        hidden=hidden_lines(cell.source, check),
        speed=bool(own.get("speed", False)),
    )


def hidden_lines(text: str, where: str) -> frozenset[int]:
    """The numbers of the lines between the markers, markers included."""
    hidden: set[int] = set()
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if BEGIN_HIDDEN in line:
            if inside:
                raise AuthorError(f"{where}, line {number}: BEGIN HIDDEN TESTS inside hidden tests")
            inside = True
            hidden.add(number)
        elif END_HIDDEN in line:
            if not inside:
                raise AuthorError(f"{where}, line {number}: END HIDDEN TESTS without a BEGIN")
            inside = False
            hidden.add(number)
        elif inside:
            hidden.add(number)
    if inside:
        raise AuthorError(f"{where}: BEGIN HIDDEN TESTS without an END; add `### END HIDDEN TESTS`")
    return frozenset(hidden)


@of_a_source
def parsed(text: str) -> ast.Module | None:
    """The module, None where the text isn't plain Python (a magic, an unfinished cell).

    It is kept, to be read only.
    """
    plain = "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in text.split("\n"))
    try:
        return parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@of_a_source
def bound_names(text: str) -> frozenset[str]:
    """Names that a cell binds at its top level, imports left out."""
    module = parsed(text)
    if module is None:
        return frozenset()
    names: set[str] = set()
    for statement in module.body:
        names |= statement_names(statement)
    return frozenset(names)


@of_a_source
def defined_names(text: str) -> frozenset[str]:
    """Functions and classes that a cell defines at its top level."""
    module = parsed(text)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(each.name for each in module.body if isinstance(each, kinds)) if module else frozenset()


@of_a_source
def base_names(text: str) -> frozenset[str]:
    """The bases of a cell's classes, as dotted names."""
    module = parsed(text)
    classes = [node for node in ast.walk(module) if isinstance(node, ast.ClassDef)] if module else []
    return frozenset(ast.unparse(base) for each in classes for base in each.bases)


def statement_names(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return set()
    names: set[str] = set()
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            names |= statement_names(node)
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            for inner in node.body:
                names |= statement_names(inner)
        else:
            names |= stored_names(node)
    return names


def stored_names(node: ast.AST) -> set[str]:
    """Names stored in an expression, comprehensions' and lambdas' own left out."""
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda):
        return set()
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    names: set[str] = set()
    for child in ast.iter_child_nodes(node):
        names |= stored_names(child)
    return names


@of_a_source
def imported_packages(text: str) -> frozenset[str]:
    """The packages that the import statements of a cell name, those of the notebook's own top level."""
    module = parsed(text)
    names: set[str] = set()
    for statement in module.body if module else ():
        if isinstance(statement, ast.Import):
            names.update(each.name for each in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.add(statement.module)
    return frozenset(name.split(".")[0] for name in names)


@of_a_source
def top_level_imports(text: str) -> tuple[str, ...]:
    """Import statements of a cell, as text; a star import is left out."""
    module = parsed(text)
    if module is None:
        return ()
    found = []
    for statement in module.body:
        star = isinstance(statement, ast.ImportFrom) and any(name.name == "*" for name in statement.names)
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if isinstance(statement, ast.Import | ast.ImportFrom) and not star and not future:
            found.append(ast.unparse(statement))
    return tuple(found)
