"""Joins the lines of format=flowed text (RFC 3676), and quotes text for replies."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE_END = re.compile(r"\r\n?|\n")
_QUOTE_MARKS = re.compile(r">*+")

# RFC 3676 §4.3: the line above a signature, neither fixed nor flowed.
_SIGNATURE_SEPARATOR = "-- "


def unflow(text: str, *, delsp: bool) -> str:
    """Returns the text with each paragraph on one line, its quote marks in front.

    `delsp` is the parameter DelSp (RFC 3676 §4.2): the space that marks a soft line
    break is then no part of the text. A paragraph ends where the depth of quotes
    changes. Lines of the result end with LF; any text is accepted.
    """
    return "\n".join(_paragraphs(text, delsp=delsp))


def quote(text: str) -> str:
    """Returns the text with a quote mark before each line, for a reply."""
    return "\n".join(map(_quoted, _LINE_END.split(text)))


def _paragraphs(text: str, *, delsp: bool) -> Iterator[str]:
    pieces: list[str] = []
    depth = 0
    for line in _LINE_END.split(text):
        marks = _QUOTE_MARKS.match(line)
        line_depth = marks.end() if marks else 0
        # RFC 3676 §4.4: one space is stuffing, put in front by the sender's program.
        content = line[line_depth:].removeprefix(" ")
        is_separator = content == _SIGNATURE_SEPARATOR
        if pieces and (line_depth != depth or is_separator):
            yield _at_depth(depth, "".join(pieces))
            pieces = []
        depth = line_depth
        is_flowed = content.endswith(" ") and not is_separator
        pieces.append(content[:-1] if is_flowed and delsp else content)
        if not is_flowed:
            yield _at_depth(depth, "".join(pieces))
            pieces = []
    if pieces:
        yield _at_depth(depth, "".join(pieces))


def _at_depth(depth: int, text: str) -> str:
    if not depth:
        return text
    return f"{'>' * depth} {text}" if text else ">" * depth


def _quoted(line: str) -> str:
    return f">{line}" if not line or line.startswith(">") else f"> {line}"
