"""Normalises message HTML and rejects what is too complex to sanitise quickly.

Sanitisers and style inliners take quadratic time on hostile input: thousands of nested
elements, attributes or style rules. These limits keep both linear.
"""

from __future__ import annotations

import re

from lxml import etree, html

from portal.webmail.rendering import link_targets

# Characters of HTML, as received and again once well-formed.
LENGTH_LIMIT = 1024 * 1024

# Characters of one tag, pictures inside it not counted.
TAG_LIMIT = 8 * 1024

ELEMENT_LIMIT = 12_000

# libxml2 itself gives up at 256 and would silently leave out the rest.
DEPTH_LIMIT = 200

# Style rules times elements, and characters of rules: what matching them costs.
STYLE_COST_LIMIT = 1_500_000
STYLE_LENGTH_LIMIT = 256 * 1024

_EMBEDDED = re.compile(r"data:[^\"'>\s]*")
_count_elements = etree.XPath("count(//*)")
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*>")


class TooComplexError(ValueError):
    """HTML that would take too long to sanitise."""


def check_complexity(source: str) -> None:
    """Raises TooComplexError for HTML that would take too long to sanitise."""
    _check_raw(source)
    try:
        _check_tree(html.document_fromstring(source.replace("\0", "")))
    except (etree.ParserError, ValueError) as error:
        if isinstance(error, TooComplexError):
            raise


def normalise_html(source: str) -> str:
    """Returns well-formed HTML without scripts and comments. Raises TooComplexError."""
    _check_raw(source)
    source = _XML_DECLARATION.sub("", source.replace("\0", ""))
    try:
        root = html.document_fromstring(source)
    except (etree.ParserError, ValueError):
        return ""
    _check_tree(root)
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    etree.strip_elements(root, "script", "link", "base", "meta", with_tail=False)
    link_targets.mark(root)
    _drop_costly_styles(root)
    normalised: str = etree.tostring(root, method="html", encoding="unicode")
    if len(normalised) > LENGTH_LIMIT:
        raise TooComplexError
    return normalised


def _check_raw(source: str) -> None:
    if len(source) > LENGTH_LIMIT:
        raise TooComplexError
    for chunk in [one for one in source.split(">") if len(one) > TAG_LIMIT]:
        tag = chunk[chunk.find("<") :] if "<" in chunk else ""
        if len(tag) > TAG_LIMIT and len(_EMBEDDED.sub("", tag)) > TAG_LIMIT:
            raise TooComplexError


def _check_tree(root: html.HtmlElement) -> None:
    if _count_elements(root) <= DEPTH_LIMIT:
        return  # nothing is deeper than there are elements
    depth = 0
    steps = etree.iterwalk(root, events=("start", "end"))
    for count, (event, _) in enumerate(steps):
        depth += 1 if event == "start" else -1
        if depth > DEPTH_LIMIT or count > 2 * ELEMENT_LIMIT:
            raise TooComplexError


def _drop_costly_styles(root: html.HtmlElement) -> None:
    styles = [style.text or "" for style in root.iter("style")]
    if not styles:
        return
    rules = sum(style.count("{") for style in styles)
    is_long = sum(map(len, styles)) > STYLE_LENGTH_LIMIT
    if is_long or rules * _count_elements(root) > STYLE_COST_LIMIT:
        etree.strip_elements(root, "style", with_tail=False)
