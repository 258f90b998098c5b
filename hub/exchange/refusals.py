"""Why the exchange says no to a person, beyond a wrong file or name.

    SubmissionError
    ├── Unknown   there is no such thing, or none that this person may see
    ├── Closed    it is there, but not now: not open yet, too late, no attempts left
    └── Oversize  more bytes than are taken

The JSON API answers with a status for each, see ``hub.exchange.api``.
"""

from __future__ import annotations

from autograder.errors import SubmissionError


class Unknown(SubmissionError):
    """There is no such thing, or none that this person may see."""


class Closed(SubmissionError):
    """The dates or the number of attempts forbid it."""


class Oversize(SubmissionError):
    """More bytes than the exchange takes."""
