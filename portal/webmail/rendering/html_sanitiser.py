"""Sanitises message HTML.

The first of three defences. The other two: the HTML is served alone under a
Content-Security-Policy that forbids everything but inline pictures, and is shown in a
sandboxed frame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import unquote

import css_inline
import nh3

from portal.webmail.rendering.html_limits import normalise_html

TAGS = {
    "a", "abbr", "address", "article", "b", "blockquote", "br", "caption", "center",
    "cite", "code", "col", "colgroup", "dd", "del", "div", "dl", "dt", "em", "font",
    "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins",
    "kbd", "li", "main", "ol", "p", "pre", "q", "s", "section", "small", "span",
    "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "tt", "u", "ul",
}  # fmt: skip
DROPPED_WITH_CONTENT = {
    "script",
    "style",
    "title",
    "template",
    "noscript",
    "svg",
    "math",
}
ATTRIBUTES = {
    "*": {"style", "dir", "lang", "align", "valign", "bgcolor"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "table": {"width", "border", "cellpadding", "cellspacing", "summary"},
    "td": {"width", "height", "colspan", "rowspan", "nowrap"},
    "th": {"width", "height", "colspan", "rowspan", "nowrap", "scope"},
    "col": {"width", "span"},
    "ol": {"start", "type"},
    "font": {"color", "face", "size"},
}
# Nothing that takes text out of the page's flow or over other text.
STYLES = {
    "background", "background-color", "border", "border-bottom", "border-bottom-color",
    "border-bottom-style", "border-bottom-width", "border-collapse", "border-color",
    "border-left", "border-left-color", "border-left-style", "border-left-width",
    "border-radius", "border-right", "border-right-color", "border-right-style",
    "border-right-width", "border-spacing", "border-style", "border-top",
    "border-top-color", "border-top-style", "border-top-width", "border-width",
    "color", "direction", "display", "font", "font-family", "font-size", "font-style",
    "font-weight", "height", "letter-spacing", "line-height", "list-style-type",
    "margin", "margin-bottom", "margin-left", "margin-right", "margin-top",
    "max-width", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "text-align", "text-decoration", "text-indent", "text-transform",
    "vertical-align", "white-space", "width", "word-break",
}  # fmt: skip
LINK_SCHEMES = ("http://", "https://")
# A backslash may escape any letter of these names (CSS Syntax 3, §4.3.7).
_LOADS_EXTERNAL = re.compile(r"url\(|image-set\(|expression\(|\\", re.IGNORECASE)
PICTURE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")

_inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


@dataclass(slots=True)
class SafeHtml:
    """Sanitised HTML, and whether remote pictures were removed from it."""

    html: str = ""
    has_remote_pictures: bool = False


@dataclass(slots=True)
class _Run:
    """One run of the sanitiser: what its filter may look up, and what it has found."""

    pictures: Mapping[str, str]
    has_remote_pictures: bool = False


def _keep(tag: str, attribute: str, value: str) -> str | None:
    """Returns the value with which the sanitiser keeps an attribute; None drops it."""
    if attribute == "style":
        return None if _LOADS_EXTERNAL.search(value) else value
    if attribute == "src":
        run = _run.get()
        run.has_remote_pictures |= value.lower().startswith(("http", "//"))
        return _picture(value, run.pictures)
    if attribute == "href":
        return value if value.lower().startswith(LINK_SCHEMES) else None
    return value


_run: ContextVar[_Run] = ContextVar("_run")
# One for all: to make one takes as long as to sanitise a letter.
_cleaner = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=DROPPED_WITH_CONTENT,
    attributes=ATTRIBUTES,
    attribute_filter=_keep,
    url_schemes={"http", "https", "cid", "data"},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    filter_style_properties=STYLES,
)


def sanitise_html(source: str, pictures: Mapping[str, str]) -> SafeHtml:
    """Sanitises message HTML for display.

    `pictures` maps each Content-ID in the message to a data: URL. Raises
    TooComplexError if the HTML exceeds the limits in `html_limits`.
    """
    normalised = _inline_styles(normalise_html(source))
    run = _Run(pictures)
    token = _run.set(run)
    try:
        cleaned = _cleaner.clean(normalised)
    finally:
        _run.reset(token)
    return SafeHtml(cleaned, run.has_remote_pictures)


def _inline_styles(normalised: str) -> str:
    if "<style" not in normalised:
        return normalised
    try:
        return _inliner.inline(normalised)
    except (css_inline.InlineError, ValueError):
        return normalised


def _picture(source: str, pictures: Mapping[str, str]) -> str | None:
    if source.lower().startswith("cid:"):
        # RFC 2392 §2 percent-encodes the id; some programs write it as it is.
        written = source[4:].strip()
        return pictures.get(unquote(written)) or pictures.get(written)
    kind = source[5:].partition(";")[0].lower()
    if source.lower().startswith("data:") and kind in PICTURE_TYPES:
        return source
    return None
