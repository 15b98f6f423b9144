"""Sanitises the HTML that people write, and converts it from plain text and back.

The browser's editor sanitises what is pasted, but the service never trusts it: what is
stored and sent has passed here. Narrower than what arriving mail may have: no styles, and
no pictures but those that were scanned and stored with the draft.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar

import nh3
from django.utils.html import escape

from engine.mail.reading.html_text import html_to_text
from portal.webmail.rendering.html_limits import TooComplexError, check_complexity

TAGS = {
    "a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i",
    "img", "li", "ol", "p", "pre", "s", "strong", "sub", "sup", "table", "tbody", "td",
    "th", "thead", "tr", "u", "ul",
}  # fmt: skip
DROPPED_WITH_CONTENT = {
    "iframe", "math", "noembed", "noframes", "noscript", "object", "script", "select",
    "style", "svg", "template", "textarea", "title", "xmp",
}  # fmt: skip
# Marks: the quoted message, the signature and links to files, so that each can be replaced.
QUOTED, SIGNATURE, LINKS = "data-quoted", "data-signature", "data-links"
ATTRIBUTES = {
    "a": {"href"},
    "div": {QUOTED, SIGNATURE, LINKS},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
LINK_SCHEMES = ("http://", "https://", "mailto:")
EMPTY_LINE = "<div><br></div>"

_ATTRIBUTE = r"""(?:\s[\w-]+="[^"]*")"""
_WITHOUT_SOURCE = re.compile(rf"<img(?!{_ATTRIBUTE}*? src=){_ATTRIBUTE}*>")
_SOURCE = re.compile(r'<img(?:\s[\w-]+="[^"]*")*? src="cid:([^"]*)"')
_NUMBER = re.compile(r"[0-9]{1,4}")
_LINES = r"(?:<div>(?:(?!</?div\b).)*</div>)*"
_SIGNATURE = re.compile(rf'<div {SIGNATURE}="1">{_LINES}</div>', re.DOTALL)
_LINKS = re.compile(
    rf'(?:{EMPTY_LINE})?<div {LINKS}="1">{_LINES}</div>(?:{EMPTY_LINE})?', re.DOTALL
)
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")

_pictures: ContextVar[Mapping[str, str]] = ContextVar("_pictures")


def _keep(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return _pictures.get().get(value.strip())
    if attribute == "href":
        return value if value.strip().lower().startswith(LINK_SCHEMES) else None
    if attribute in (QUOTED, SIGNATURE, LINKS):
        return "1"
    if attribute in ("width", "height", "start", "colspan", "rowspan"):
        return value if _NUMBER.fullmatch(value) else None
    return value


_cleaner = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=DROPPED_WITH_CONTENT,
    attributes=ATTRIBUTES,
    attribute_filter=_keep,
    url_schemes={"http", "https", "mailto", "cid"},
    url_relative="pass_through",
    link_rel="noopener noreferrer",
)


def sanitise(source: str, pictures: Mapping[str, str]) -> str:
    """Returns HTML with nothing but formatting in it.

    `pictures` maps the sources that pictures may have to those that they get; pictures
    with any other source are removed. Raises TooComplexError.
    """
    check_complexity(source)
    token = _pictures.set(pictures)
    try:
        cleaned = _cleaner.clean(source)
    finally:
        _pictures.reset(token)
    return _WITHOUT_SOURCE.sub("", cleaned)


def content_ids(html: str) -> set[str]:
    """Returns the Content-IDs of the pictures that sanitised HTML shows."""
    return set(_SOURCE.findall(html))


def as_text(html: str) -> str:
    """Returns the plain version of what was written, without an end of line."""
    text = html_to_text(html).replace("\xa0", " ")
    # The separator of a signature ends in a space (RFC 3676 §4.3).
    return re.sub(r"^--$", "-- ", text, flags=re.MULTILINE).rstrip("\n")


def from_text(text: str) -> str:
    """Returns plain text as HTML: a line for each line, with its links."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "".join(
        f"<div>{_LINK.sub(_anchor, escape(line))}</div>" if line else EMPTY_LINE
        for line in lines
    )


def quoted(introduction: str, html: str) -> str:
    """Returns a quoted message, marked so that it can be folded and removed."""
    return (
        f'<div {QUOTED}="1"><div>{escape(introduction)}</div>'
        f"<blockquote>{html}</blockquote></div>"
    )


def signature(text: str) -> str:
    """Returns a signature, marked so that another can replace it."""
    return f'<div {SIGNATURE}="1">{from_text(text)}</div>'


def with_signature(html: str, block: str) -> str:
    """Returns HTML with a signature in place of its own, else above what is quoted."""
    if _SIGNATURE.search(html):
        return _SIGNATURE.sub(lambda _: block, html, count=1)
    return insert_above_quote(html, f"{EMPTY_LINE}{block}" if block else "")


def with_links(html: str, text: str) -> str:
    """Returns HTML with links to files below what is written, marked to be removed."""
    block = f'{EMPTY_LINE}<div {LINKS}="1">{from_text(text)}</div>'
    return insert_below_text(html, block)


def without_links(html: str) -> str:
    """Returns HTML without the links to files."""
    return _LINKS.sub("", html)


def insert_above_quote(html: str, more: str) -> str:
    """Returns HTML with more of it below what is written, above what is quoted."""
    at = html.find(f"<div {QUOTED}=")
    return f"{html}{more}" if at < 0 else f"{html[:at]}{more}{html[at:]}"


def insert_below_text(html: str, more: str) -> str:
    """Returns HTML with more of it above the signature, and above what is quoted."""
    at = html.find(f"<div {SIGNATURE}=")
    if at < 0:
        return insert_above_quote(html, more)
    return f"{html[:at]}{more}{EMPTY_LINE}{html[at:]}"


def without_quote(html: str) -> str:
    """Returns HTML without the quoted message, which is its last part."""
    at = html.find(f"<div {QUOTED}=")
    return html if at < 0 else html[:at] or EMPTY_LINE


def document(html: str) -> str:
    """Returns the HTML as the whole document that a message carries."""
    styled = html.replace(
        "<blockquote>",
        '<blockquote style="margin:0 0 0 8px;border-left:2px solid #b1b4b6;'
        'padding-left:10px">',
    )
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"></head>'
        f"<body>{styled}</body></html>"
    )


def stored(document: str) -> str:
    """Returns the HTML in a stored document, sanitised again; empty if too complex."""
    _, found, rest = document.partition("<body>")
    body = rest.rpartition("</body>")[0] if found else document
    sources = re.findall(r'"(cid:[^"<>]{1,300})"', body)
    try:
        return sanitise(body, dict(zip(sources, sources, strict=True)))
    except TooComplexError:
        return ""


def _anchor(found: re.Match[str]) -> str:
    return f'<a href="{found[0]}">{found[0]}</a>'
