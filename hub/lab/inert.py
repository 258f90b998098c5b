"""Markdown of students as HTML that can't act, for pages on the hub's own origin.

nbgrader's formgrader shows markdown as nbconvert renders it, raw HTML included, whatever
``HTMLExporter.sanitize_html`` says. Named in nbconvert's configuration as its filter "markdown2html".
Trusts nothing in ``source`` and attachments; bleach decides by lists of what is allowed.
"""

from __future__ import annotations

from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

TAGS = frozenset(
    "a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre q s"
    " samp small span strong sub summary sup table tbody td th thead tr u ul".split()
)
ATTRIBUTES = {
    "*": ("class", "id", "style", "title", "align"),
    "a": ("href",),
    "img": ("src", "alt", "width", "height"),
    "ol": ("start",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan", "scope"),
}
STYLES = ("text-align", "width", "height", "max-width", "color", "font-weight")
PROTOCOLS = ("http", "https", "mailto", "data")


@pass_context
def markdown_to_html(context: Context, source: str) -> str:
    """nbconvert's rendering of a cell, cleaned. Pictures may be attachments or data, links may not."""
    cell: Any = context.get("cell") or {}
    renderer = IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))
    rendered = MarkdownWithMath(renderer=renderer).render(source)
    return str(
        bleach.clean(
            rendered,
            tags=TAGS,
            attributes=_allowed,
            protocols=PROTOCOLS,
            css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
            strip_comments=True,
        )
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if name not in (*ATTRIBUTES["*"], *ATTRIBUTES.get(tag, ())):
        return False
    is_data = value.strip().lower().startswith("data:")
    return not is_data or (tag == "img" and value.strip().lower().startswith("data:image/"))
