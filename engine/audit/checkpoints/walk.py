"""Walks along the chain: recomputes digests, finds gaps, and meets the checkpoints."""

from __future__ import annotations

import time

from engine.audit.checkpoints.marks import Mark, Marks
from engine.audit.models import ChainCheck, ChainEnd, Entry
from engine.audit.record import digest_of

BATCH = 2_000
# Of those that one verification describes.
MAX_PROBLEMS = 50


class Walk:
    """The state of one verification, which `check` keeps between two slices of it."""

    def __init__(self, check: ChainCheck, marks: Marks) -> None:
        self.check, self.marks = check, marks
        self.end = ChainEnd()
        # What the next entry may follow. After a changed entry it is either of two
        # digests, so that one change is reported once.
        self._before = {check.digest}

    def go(self, deadline: float | None = None) -> bool:
        """Verifies entries until the last; False if `deadline`, monotonic, came first."""
        while deadline is None or time.monotonic() < deadline:
            # Before the entries: every entry that it counts can be seen then.
            self.end = ChainEnd.objects.first() or ChainEnd()
            after = Entry.objects.filter(pk__gt=self.check.last_id).order_by("pk")
            rows = list(after[:BATCH])
            for entry in rows:
                self._step(entry)
            if not rows:
                return True
        return False

    def report(self, kind: str, text: str, entry_id: int = 0) -> None:
        """Adds a problem to those of the verification."""
        if len(self.check.problems) < MAX_PROBLEMS:
            self.check.problems.append([kind, text, entry_id])

    def _step(self, entry: Entry) -> None:
        check, own = self.check, digest_of(entry)
        if entry.digest != own:
            self.report(
                "changed",
                f"Entry {entry.pk} ({entry.event}, {entry.at:%-d %B %Y, %H:%M} UTC) was "
                "changed.",
                entry.pk,
            )
        elif entry.previous_digest not in self._before:
            after = f"entry {check.last_id}" if check.last_id else "the beginning"
            self.report(
                "missing",
                f"Entry {entry.pk} does not follow from {after}: what was between them "
                "was deleted, or one of the two was replaced.",
                entry.pk,
            )
            check.is_counted = False
        self._before = {entry.digest, own}
        check.digest, check.last_id = entry.digest, entry.pk
        check.position += 1
        self._compare(entry)

    def _compare(self, entry: Entry) -> None:
        mark = self.marks.by_digest.get(entry.digest)
        if mark is None:
            return
        if mark.length > self.check.position:
            self._count_missing(mark, entry)
        self.check.position, self.check.is_counted = mark.length, True
        self.check.proved, self.check.proved_id = mark.length, entry.pk
        self.check.proved_at = mark.at

    def _count_missing(self, mark: Mark, entry: Entry) -> None:
        count = mark.length - self.check.position
        self.report(
            "missing",
            f"{count} {'entry is' if count == 1 else 'entries are'} missing before entry "
            f"{entry.pk}: {mark} proves {mark.length}.",
            entry.pk,
        )
