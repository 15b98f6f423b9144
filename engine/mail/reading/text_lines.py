"""Collects the lines of a text that is laid out: white space, quote marks, indentation."""

from __future__ import annotations

import re

# Columns of quote marks and indentation; text that lies deeper has the marks of these.
MAX_PREFIX = 40

_SPACE = re.compile(r"[ \t\n\r\f]+")
_LINE_END = re.compile(r"\r\n?|\n")


class Lines:
    """The lines of a text, or of one cell of a table in it.

    `prefix` stands before each line: quote marks and indentation. `marker` stands in its
    place before the next line: the number of a list's item.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.prefix = ""
        self.marker = ""
        self._current: list[str] = []
        self._ends_in_space = True
        self._is_behind = False
        self._gap: str | None = None

    def indent(self, mark: str) -> None:
        """Puts a mark behind the prefix: "> ", or spaces."""
        if len(self.prefix) < MAX_PREFIX:
            is_inner = mark == "> " and self.prefix.endswith(mark)
            self.prefix = f"{self.prefix[:-1] if is_inner else self.prefix}{mark}"

    def add(self, text: str, *, is_preserved: bool = False) -> None:
        """Adds text to the current line."""
        if not is_preserved:
            collapsed = _SPACE.sub(" ", text)
            if self._ends_in_space:
                collapsed = collapsed.lstrip(" ")
            self._append(collapsed)
            return
        first, *others = _LINE_END.split(text)
        self._append(first)
        for other in others:
            self.end_line(is_preserved=True)
            self._append(other)

    def add_behind(self, text: str, *, has_ended: bool) -> None:
        """Adds text behind the last word; `has_ended` if its line may have ended."""
        if has_ended and not self._current and self.lines:
            self.lines[-1] += f" {text}"
        else:
            self._append(text if self._ends_in_space else f" {text}")
        self._is_behind = True

    def end_line(self, *, is_preserved: bool = False) -> None:
        """Ends the current line; an empty one leaves a gap, or stays if preserved."""
        line = "".join(self._current).replace("\xa0", " ")
        self._current, self._ends_in_space = [], True
        if is_preserved or line.strip():
            self.add_line(line if is_preserved else line.rstrip(" "))
        else:
            self.leave_gap()

    def end_block(self) -> None:
        """Ends the current line where there is one."""
        if self._current:
            self.end_line()

    def leave_gap(self) -> None:
        """Leaves one empty line before the next, however often it is asked to."""
        blank = self.prefix.rstrip()
        if self._gap is None or len(blank) < len(self._gap):
            self._gap = blank

    def add_line(self, line: str) -> None:
        """Adds a whole line behind the prefix or the marker."""
        before = self.prefix.rstrip()
        if self._gap is not None and self.lines:
            self.lines.append(min(self._gap, before, key=len))
        self._gap = None
        start = self.marker or self.prefix
        self.lines.append(f"{start}{line}" if line else start.rstrip())
        self.marker = ""

    def finish(self) -> list[str]:
        """Returns the lines, the current one included."""
        self.end_block()
        return self.lines

    def _append(self, text: str) -> None:
        if not text:
            return
        if self._is_behind and self._current and text[0].isalnum():
            self._current.append(" ")
        self._current.append(text)
        self._ends_in_space = text.endswith(" ")
        self._is_behind = False
