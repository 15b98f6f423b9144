"""One line of an organisation's trace: a message, or what was refused of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.organisation.mail.trace_query import Shown


@dataclass(frozen=True, slots=True)
class Line:
    """One message as a list shows it.

    `recipient` is the first that the organisation may see, of `number`. `statuses` are
    labels, each with the number of recipients. `last_id` is the newest id that it was
    made from.
    """

    reference: str
    at: datetime
    sender: str
    recipient: str
    number: int
    statuses: Sequence[tuple[str, int]]
    kind: Shown
    last_id: int
    reason: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether the line is a refusal, and no message."""
        return self.kind is Shown.REFUSED

    @property
    def outcome(self) -> str:
        """What happened, in words: "Sent: 2 delivered, 1 waiting"."""
        if self.is_refused:
            return self.statuses[0][0]
        words = (
            f"{number} {label.lower()}" if self.number > 1 else label.lower()
            for label, number in self.statuses
        )
        return f"{self.kind.label}: {', '.join(words)}"
