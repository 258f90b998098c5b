"""Receipts that a student can keep: signed by the course, checked by anyone who has its public key.

Contract: the text of a submission's receipt is always the same, byte for byte. ``check_receipt`` and
``check_files`` raise SubmissionError with what doesn't match. The signature (Ed25519) is over the
receipt's JSON without ``signature``, with sorted keys and no spaces.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from autograder.errors import SubmissionError
from hub.exchange.records import StoredFile, Submission

KIND = "mlsys receipt 1"
KEY_BYTES = 32


@dataclass(frozen=True)
class SignedReceipt:
    """A submission as its receipt states it."""

    course: str
    submission: Submission
    signature: str

    def text(self) -> str:
        """The receipt as the student keeps it: JSON."""
        return json.dumps(self.record(), indent=1, ensure_ascii=False) + "\n"

    def record(self) -> dict[str, Any]:
        return {**_body(self.course, self.submission), "signature": self.signature}


class Signer:
    """Signs the receipts of one course."""

    def __init__(self, course: str, key: bytes) -> None:
        self.course = course
        self._key = Ed25519PrivateKey.from_private_bytes(key)

    @property
    def public_key(self) -> str:
        """What anyone needs to check a receipt."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, submission: Submission) -> SignedReceipt:
        signature = self._key.sign(_signed_bytes(_body(self.course, submission)))
        return SignedReceipt(self.course, submission, base64.b64encode(signature).decode())


def new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes_raw()


def read_receipt(text: str | bytes) -> SignedReceipt:
    """A receipt from its JSON; says nothing yet about whether it is true. Raises SubmissionError."""
    try:
        return receipt_of(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"this is no receipt: {error}; take the file that you saved") from error


def receipt_of(found: Any) -> SignedReceipt:
    """A receipt from its parsed JSON. Raises SubmissionError."""
    try:
        if found["kind"] != KIND:
            raise ValueError(f"its kind is not {KIND!r}")
        submission = Submission(
            id=int(found["id"]),
            student=str(found["student"]),
            assignment=str(found["assignment"]),
            number=int(found["number"]),
            received=datetime.fromisoformat(found["received"]),
            sha256=str(found["sha256"]),
            files=tuple(
                StoredFile(str(each["name"]), int(each["size"]), str(each["sha256"]))
                for each in found["files"]
            ),
            ignored=tuple(map(str, found["ignored"])),
        )
        return SignedReceipt(str(found["course"]), submission, str(found["signature"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SubmissionError(f"this is no receipt: {error}; take the file that you saved") from error


def check_receipt(receipt: SignedReceipt, public_key: str) -> None:
    """Raises SubmissionError unless the course signed exactly this receipt."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        signature = base64.b64decode(receipt.signature, validate=True)
        key.verify(signature, _signed_bytes(_body(receipt.course, receipt.submission)))
    except (InvalidSignature, ValueError) as error:
        raise SubmissionError(
            "the course has not signed this receipt: it was changed, or is another's"
        ) from error


def check_files(receipt: SignedReceipt, files: Mapping[str, bytes]) -> None:
    """Raises SubmissionError unless these are the files that were received, all of them."""
    known = {each.name: each for each in receipt.submission.files}
    missing = sorted(set(known) - set(files))
    strange = sorted(set(files) - set(known))
    if missing or strange:
        words = [f"{', '.join(missing)} not given"] if missing else []
        words += [f"{', '.join(strange)} not in the receipt"] if strange else []
        raise SubmissionError(f"not the files of the receipt: {'; '.join(words)}")
    for name, data in files.items():
        if hashlib.sha256(data).hexdigest() != known[name].sha256:
            raise SubmissionError(f"{name} is not what was received: its bytes differ")


def _body(course: str, submission: Submission) -> dict[str, Any]:
    """Lateness is no part of it: it follows from the due date, which may still move."""
    return {
        "kind": KIND,
        "course": course,
        "id": submission.id,
        "student": submission.student,
        "assignment": submission.assignment,
        "number": submission.number,
        "received": submission.received.isoformat(),
        "sha256": submission.sha256,
        "files": [asdict(each) for each in submission.files],
        "ignored": list(submission.ignored),
    }


def _signed_bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
