"""The errors that a person may read, by whose they are.

    GraderError
    ├── AuthorError       course content is wrong: a check, an assignment, course.toml
    ├── SubmissionError   a submission can't be used as it is
    └── PlatformError     the host, the gradebook or this program failed: never a grade

Every message says what is wrong, where, and what to do next.
"""


class GraderError(Exception):
    """Anything this platform tells a person about."""


class AuthorError(GraderError):
    """Course content is wrong; its author has to change it."""


class SubmissionError(GraderError):
    """A submission can't be used as it is; the student has to change it."""


class PlatformError(GraderError):
    """The platform failed; the student keeps what they have and the work is done again."""
