"""Imported by what starts as a process, before what is slow to load: leaves out what nothing here needs.

jsonschema compiles a grammar for one of its formats, addresses of the web by RFC 3987, which no notebook has:
more than a second, each time. It goes on without.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
