"""The sandbox's own errors, which callers turn into theirs.

    SandboxError          a box can't be had, or failed: never the student's doing
    ├── HostUnfit         this host lacks what a box needs; the message says what to install or allow
    └── BoxFailed         a box was asked for rightly and did not start

Every message says what is wrong, where, and what to do next.
"""


class SandboxError(Exception):
    """The box is at fault, or the host, or the caller; never the program in the box."""


class HostUnfit(SandboxError):
    """This host can't make a box as asked."""


class BoxFailed(SandboxError):
    """The box did not start."""
