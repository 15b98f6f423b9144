"""Edits of a draft that buttons ask for, in plain text and with formatting alike."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.registry.models import Mailbox
from portal.webmail.compose import signatures
from portal.webmail.drafts.draft import Draft
from portal.webmail.models import Signature
from portal.webmail.rendering import written_html

# Where the quoted message starts in plain text (reply_drafts writes both).
_QUOTE = re.compile(r"^(?:On .{1,300} wrote:\n>|Forwarded message\n)", re.MULTILINE)


def opening(signature: Signature | None) -> str:
    """Returns what a message with formatting starts with: an empty line, a signature."""
    if signature is None:
        return written_html.EMPTY_LINE
    block = written_html.signature(signatures.block(signature))
    return f"{written_html.EMPTY_LINE * 2}{block}"


def formatted(draft: Draft) -> Draft:
    """Returns the draft with formatting, its quoted message marked to be folded."""
    if draft.html:
        return draft
    text, quoted = _split(draft.text)
    html = written_html.from_text(text or "\n")
    if quoted:
        introduction, _, rest = quoted.partition("\n")
        lines = re.sub(r"^> ?", "", rest, flags=re.MULTILINE)
        html += written_html.quoted(introduction, written_html.from_text(lines))
    return replace(draft, html=html)


_FORMATS = re.compile(
    r"<(?:b|strong|i|em|u|s|ul|ol|h[1-3]|img|table|pre|code|hr|sub|sup)\b"
)


def has_formatting(draft: Draft) -> bool:
    """Returns whether plain text would lose something: not of a quotation's marks."""
    return bool(_FORMATS.search(draft.html))


def plain(draft: Draft) -> Draft:
    """Returns the draft as plain text."""
    return replace(draft, html="")


def without_quote(draft: Draft) -> Draft:
    """Returns the draft without the message that it quotes."""
    if draft.html:
        return _with_html(draft, written_html.without_quote(draft.html))
    return replace(draft, text=_split(draft.text)[0].rstrip("\n"))


def has_quote(draft: Draft) -> bool:
    """True if the draft quotes a message that `without_quote` removes."""
    return bool(_split(draft.text)[1])


def with_signature(draft: Draft, mailbox: Mailbox, chosen: Signature | None) -> Draft:
    """Returns the draft with the signature in place of the one that it has."""
    if draft.html:
        block = written_html.signature(signatures.block(chosen)) if chosen else ""
        return _with_html(draft, written_html.with_signature(draft.html, block))
    text = signatures.replace_signature(draft.text, mailbox, chosen)
    return replace(draft, text=text)


def with_text(draft: Draft, more: str) -> Draft:
    """Returns the draft with text below what was written, above signature and quote."""
    more = more.replace("\r\n", "\n").strip("\n")
    if draft.html:
        html = written_html.insert_below_text(draft.html, written_html.from_text(more))
        return _with_html(draft, html)
    text = draft.text.replace("\r\n", "\n")
    own = _split(text)[0]
    at = own.find(f"\n{signatures.LINE}\n")
    before = own if at < 0 else own[:at]
    written = before.rstrip("\n")
    gap = "\n\n" if written.strip() else ""
    rest = text[len(before) :]
    below = f"\n{rest}" if rest and not rest.startswith("\n") else rest
    return replace(draft, text=f"{written}{gap}{more}\n{below}")


def _with_html(draft: Draft, html: str) -> Draft:
    return replace(draft, html=html, text=written_html.as_text(html))


def _split(text: str) -> tuple[str, str]:
    """Returns what was written, and what is quoted below it."""
    text = text.replace("\r\n", "\n")
    found = _QUOTE.search(text)
    return (text[: found.start()], text[found.start() :]) if found else (text, "")
