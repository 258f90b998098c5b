"""Two small assignments as a class has them, one on numpy and one on torch, and submissions of them.

Each has given cells, solution cells and test cells with a hidden part, so that the stock nbgrader can release
and grade it as well. In its submissions every student has written something of their own: right answers,
wrong ones, and in one of ten none.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat.notebooknode import NotebookNode

from autograder.gradebook.folders import notebook_bytes
from autograder.repair import Role, released_text, role_of
from tests.autograder.notebooks import check, given, notebook, solve


@dataclass(frozen=True)
class Question:
    """``wrong``: an answer that its hidden test finds out."""

    name: str
    stub: str
    answer: str
    wrong: str
    visible: str
    hidden: str
    points: int = 3


@dataclass(frozen=True)
class Lesson:
    """An assignment of one notebook."""

    name: str
    first: str
    questions: tuple[Question, ...]

    def source(self) -> NotebookNode:
        cells = [given("setup", self.first)]
        for each in self.questions:
            tests = f"{each.visible}\n### BEGIN HIDDEN TESTS\n{each.hidden}\n### END HIDDEN TESTS"
            cells += [
                solve(each.name, each.stub, each.answer),
                check(f"test_{each.name}", tests, each.points),
            ]
        return notebook(*cells)

    def submissions(self, number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
        """(student, notebook) each."""
        chance = random.Random(seed)  # noqa: S311 -- a class to measure with
        for index in range(number):
            made = self.source()
            begun = chance.random() > 0.1
            for cell in made.cells:
                role = role_of(cell)
                cell.source = released_text(cell.source) if role is not Role.ANSWER else cell.source
                if role is Role.ANSWER:
                    question = next(
                        each for each in self.questions if each.name == cell.metadata.nbgrader.grade_id
                    )
                    body = question.answer if chance.random() > 0.2 else question.wrong
                    cell.source = (
                        f"{question.stub}\n{body if begun else '    raise NotImplementedError'}\n# {index}"
                    )
            yield f"s{index:05}", notebook_bytes(made)


NUMPY = Lesson(
    "numeric",
    "import numpy as np\nrng = np.random.default_rng(0)\nsample = rng.normal(size=(256, 64))\nsample.mean()",
    (
        Question(
            "softmax",
            'def softmax(x):\n    """Rows of x (n, m) as probabilities (n, m)."""',
            "    e = np.exp(x - x.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)",
            "    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)",
            "assert np.allclose(softmax(np.zeros((2, 4))), 0.25)",
            "assert np.allclose(softmax(np.full((1, 2), 1000.0)), 0.5)\n"
            "assert np.allclose(softmax(sample).sum(axis=1), 1)",
        ),
        Question(
            "distances",
            'def distances(a, b):\n    """Distances (n, m) of the rows of a (n, d) and b (m, d)."""',
            "    return np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))",
            "    return ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)",
            "assert distances(np.zeros((2, 3)), np.zeros((4, 3))).shape == (2, 4)",
            "assert np.allclose(distances(np.array([[0.0, 3.0]]), np.array([[4.0, 0.0]])), 5)\n"
            "assert np.allclose(np.diag(distances(sample, sample)), 0)",
        ),
        Question(
            "fit",
            'def fit(x, y):\n    """Least-squares weights (d,) for x (n, d), y (n,)."""',
            "    return np.linalg.lstsq(x, y, rcond=None)[0]",
            "    return x.T @ y / len(y)",
            "assert fit(np.eye(3), np.ones(3)).shape == (3,)",
            "w = np.arange(64.0)\nassert np.allclose(fit(sample, sample @ w), w)",
        ),
    ),
)

TORCH = Lesson(
    "training",
    "import torch\ntorch.manual_seed(0)\nx = torch.randn(256, 8)\ny = x @ torch.arange(8.0) + 1\ny.mean()",
    (
        Question(
            "loss",
            'def loss(prediction, target):\n    """The mean squared error, a scalar."""',
            "    return ((prediction - target) ** 2).mean()",
            "    return ((prediction - target) ** 2).sum()",
            "assert float(loss(torch.zeros(3), torch.zeros(3))) == 0",
            "assert float(loss(torch.zeros(4), torch.full((4,), 2.0))) == 4",
        ),
        Question(
            "train",
            'def train(x, y, steps=100, rate=0.1):\n    """Weights (d,) and bias () after steps of SGD."""',
            "    w = torch.zeros(x.shape[1], requires_grad=True)\n"
            "    b = torch.zeros((), requires_grad=True)\n"
            "    optimizer = torch.optim.SGD([w, b], lr=rate)\n"
            "    for _ in range(steps):\n"
            "        optimizer.zero_grad()\n"
            "        ((x @ w + b - y) ** 2).mean().backward()\n"
            "        optimizer.step()\n"
            "    return w.detach(), b.detach()",
            "    return torch.zeros(x.shape[1]), torch.zeros(())",
            "w, b = train(x, y, steps=2)\nassert w.shape == (8,) and b.shape == ()",
            "w, b = train(x, y, steps=200)\n"
            "assert torch.allclose(w, torch.arange(8.0), atol=0.05) and abs(float(b) - 1) < 0.05",
            points=5,
        ),
        Question(
            "accuracy",
            'def accuracy(logits, labels):\n    """The part of rows (n, k) whose largest is at labels."""',
            "    return float((logits.argmax(dim=1) == labels).float().mean())",
            "    return float((logits.argmax(dim=0)[: len(labels)] == labels).float().mean())",
            "assert accuracy(torch.eye(3), torch.arange(3)) == 1",
            "scores = torch.tensor([[1.0, 2.0], [3.0, 1.0], [0.0, 5.0]])\n"
            "assert abs(accuracy(scores, torch.tensor([1, 1, 1])) - 2 / 3) < 1e-6",
        ),
    ),
)
TINY = Lesson(
    "tiny",
    "print('one')",
    (
        Question(
            "double",
            'def double(x):\n    """Twice x."""',
            "    return 2 * x",
            "    return x * x",
            "assert double(2) == 4",
            "assert double(3) == 6",
        ),
    ),
)
LESSONS = {each.name: each for each in (NUMPY, TORCH)}
