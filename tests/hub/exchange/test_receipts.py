"""A receipt is true or is refused, with what is wrong."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from autograder.errors import SubmissionError
from hub.exchange.receipts import (
    SignedReceipt,
    Signer,
    check_files,
    check_receipt,
    new_key,
    read_receipt,
)
from hub.exchange.records import StoredFile, Submission

FILE = StoredFile("ä.ipynb", 2, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
SUBMISSION = Submission(7, "ada", "01", 2, datetime(2027, 2, 1, 9, tzinfo=UTC), "0" * 64, (FILE,), ("x",))
SIGNER = Signer("mls", new_key())


def receipt() -> SignedReceipt:
    return SIGNER.sign(SUBMISSION)


def test_a_receipt_survives_being_kept_and_read() -> None:
    assert read_receipt(receipt().text()) == receipt()
    check_receipt(read_receipt(receipt().text()), SIGNER.public_key)
    check_files(receipt(), {"ä.ipynb": b"{}"})


def test_an_extension_that_comes_later_makes_no_receipt_false() -> None:
    late = Submission(**{**SUBMISSION.__dict__, "late": timedelta(hours=1)})
    assert SIGNER.sign(late).text() == receipt().text()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("student", "eve"),
        ("assignment", "02"),
        ("number", 1),
        ("id", 8),
        ("received", "2027-01-31T09:00:00+00:00"),
        ("sha256", "1" * 64),
        ("files", []),
        ("ignored", []),
        ("course", "other"),
        ("signature", base64.b64encode(bytes(64)).decode()),
        ("signature", "no"),
        ("signature", ""),
    ],
)
def test_a_changed_receipt_is_refused(key: str, value: object) -> None:
    changed = read_receipt(json.dumps({**receipt().record(), key: value}))
    with pytest.raises(SubmissionError, match="has not signed"):
        check_receipt(changed, SIGNER.public_key)


@pytest.mark.parametrize(
    "key", [pytest.param(Signer("mls", new_key()).public_key, id="another's"), "", "AAAA", "ä", "0" * 44]
)
def test_only_the_courses_key_will_do(key: str) -> None:
    with pytest.raises(SubmissionError, match="has not signed"):
        check_receipt(receipt(), key)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", "[" * 100_000, '{"kind": "other"}', '{"kind": "mlsys receipt 1"}', "\ud800"],
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(SubmissionError, match="no receipt"):
        read_receipt(text)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"ä.ipynb": b"[]"}, "bytes differ"),
        ({}, "not given"),
        ({"ä.ipynb": b"{}", "b.ipynb": b""}, "b.ipynb not in the receipt"),
    ],
)
def test_other_files_are_refused(files: dict[str, bytes], words: str) -> None:
    with pytest.raises(SubmissionError, match=words):
        check_files(receipt(), files)
