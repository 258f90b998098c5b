from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from typing import Any

import pytest

from course.build import release_files
from course.leaks import Leak, scan, secrets_of, telling
from tests.course.sample import RIGHT, Sample

HIDDEN = "hidden_input = rng.normal(size=17)"
SOLUTION = "mask = np.asarray(x) > 0"
SHORT = "relu = hidden[3]"


def leaks(sample: Sample, files: dict[str, bytes]) -> tuple[Leak, ...]:
    return scan(files, secrets_of(sample.assignment))


def released(sample: Sample) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(release_files(sample.assignment)["relu.ipynb"])
    return notebook


def planted(sample: Sample, notebook: dict[str, Any]) -> list[tuple[str, str]]:
    found = leaks(sample, {"relu.ipynb": json.dumps(notebook).encode()})
    return [(leak.where, leak.line) for leak in found]


def test_a_release_has_no_leak(sample: Sample) -> None:
    assert leaks(sample, release_files(sample.assignment)) == ()


def test_secrets_are_lines_that_no_student_sees(sample: Sample) -> None:
    secrets = {secret.line: secret.origin for secret in secrets_of(sample.assignment)}
    assert secrets[HIDDEN] == "hidden test of 'check-relu'"
    assert secrets[SOLUTION] == "solution of 'relu'"
    assert secrets["return np.clip(x, 0, None)"] == "solution of 'relu', clip.py"
    assert "def relu(x):" not in secrets
    assert "class Unit:" not in secrets


@pytest.mark.parametrize(
    "line",
    ["", ")", "pass", "return x", "else:", "import math", "import numpy as np", "x = 1"],
)
def test_a_line_that_says_nothing_is_no_secret(line: str) -> None:
    assert not telling(line)


@pytest.mark.parametrize("line", ["return x * scale", "assert f(3) == 17", "# the mean of the batch"])
def test_a_line_that_says_something_is_a_secret(line: str) -> None:
    assert telling(line)


@pytest.mark.parametrize("line", [HIDDEN, SOLUTION])
def test_a_secret_in_a_source_is_found(sample: Sample, line: str) -> None:
    notebook = released(sample)
    notebook["cells"][2]["source"] += ["\n", f"   {line}  \n"]
    assert planted(sample, notebook) == [("cells[2].source", line)]


def test_a_secret_in_a_coloured_traceback_is_found(sample: Sample) -> None:
    notebook = released(sample)
    shown = HIDDEN.replace("=", "\x1b[38;5;241m=\x1b[39m").replace("17", "\x1b[32m17\x1b[39m")
    notebook["cells"][3]["outputs"] = [
        {
            "output_type": "error",
            "ename": "E",
            "evalue": "",
            "traceback": ["no", f"\x1b[31m----> 2\x1b[0m {shown}"],
        }
    ]
    assert planted(sample, notebook) == [("cells[3].outputs[0].traceback", HIDDEN)]


def test_a_secret_in_an_output_is_found(sample: Sample) -> None:
    notebook = released(sample)
    html = {"text/html": [f"<pre>{SOLUTION.replace('>', '&gt;')}</pre>"]}
    notebook["cells"][3]["outputs"] = [{"output_type": "display_data", "data": html, "metadata": {}}]
    assert planted(sample, notebook) == [("cells[3].outputs[0].data.text/html", SOLUTION)]


def test_a_secret_in_metadata_is_found(sample: Sample) -> None:
    notebook = released(sample)
    notebook["metadata"]["notes"] = {HIDDEN: [1, {"deep": f"remember {SOLUTION}"}]}
    assert planted(sample, notebook) == [
        ("metadata.notes", HIDDEN),
        (f"metadata.notes.{HIDDEN}[1].deep", SOLUTION),
    ]


def test_a_secret_in_an_attachment_is_found(sample: Sample) -> None:
    notebook = released(sample)
    data = base64.b64encode(f"PNG\0\n{HIDDEN}\n".encode()).decode()
    notebook["cells"][0]["attachments"] = {"figure.png": {"image/png": data}}
    assert planted(sample, notebook) == [("cells[0].attachments.figure.png.image/png", HIDDEN)]


def archive(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return buffer.getvalue()


TEXT = f"# notes\n\t{HIDDEN}\n".encode()
OTHER_FILES = {
    "solution.txt": TEXT,
    "data.bin": b"\0\xff\n" + TEXT,
    "windows.txt": TEXT.replace(b"\n", b"\r\n"),
    "data.npz": archive("notes.npy", TEXT),
    "nested.zip": archive("inner.zip", archive("notes", TEXT)),
    "notes.gz": gzip.compress(TEXT),
    "copy.ipynb": json.dumps({"cells": [{"source": [HIDDEN]}]}).encode(),
    "backup.json": json.dumps(f"quoted {HIDDEN}").encode(),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_a_secret_in_another_file_is_found(sample: Sample, name: str) -> None:
    found = leaks(sample, {name: OTHER_FILES[name]})
    assert [(leak.file, leak.line) for leak in found] == [(name, HIDDEN)]


def test_a_short_secret_is_found_alone_but_not_inside_other_words(sample: Sample) -> None:
    sample.edit(RIGHT, "return np.clip(x, 0, None)", SHORT)
    assert leaks(sample, {"a.py": f"    {SHORT}\n".encode()})
    assert leaks(sample, {"a.txt": f"----> 3 {SHORT}\n".encode()})
    assert leaks(sample, {"a.py": f"{SHORT}.mean()\n".encode()}) == ()


@pytest.mark.parametrize("marker", ["### BEGIN HIDDEN TESTS", "### END SOLUTION"])
def test_a_marker_that_is_left_is_a_leak(sample: Sample, marker: str) -> None:
    found = leaks(sample, {"notes.txt": marker.encode()})
    assert [leak.origin for leak in found] == ["a marker of nbgrader"]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 broken", b"\x1f\x8b broken", b"[" * 100_000, b"\xff\xfe"])
def test_a_file_of_any_shape_can_be_searched(sample: Sample, data: bytes) -> None:
    assert leaks(sample, {"odd": data}) == ()
