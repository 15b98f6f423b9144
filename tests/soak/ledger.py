"""Records which messages were sent and acknowledged."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

# A message carries its number in the subject, which no route changes.
SUBJECT = re.compile(rb"^Subject: [^\r\n]*\bsoak-(\d+)\b", re.MULTILINE)


@dataclass
class Sent:
    """One message of the soak; times are Unix times in seconds."""

    number: int
    way: str
    began: float
    acknowledged: float = 0.0

    def __str__(self) -> str:
        began, ended = (
            datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
            for at in (self.began, self.acknowledged)
        )
        return f"{self.number} {self.way}, begun {began}, acknowledged {ended}"


@dataclass
class Ledger:
    """All messages of the soak. Its methods are safe to call from several threads."""

    messages: dict[int, Sent] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, way: str) -> Sent:
        with self._lock:
            sent = Sent(len(self.messages) + 1, way, time.time())
            self.messages[sent.number] = sent
        return sent

    def acknowledge(self, sent: Sent) -> None:
        """Records that the next server has taken responsibility."""
        with self._lock:
            sent.acknowledged = sent.acknowledged or time.time()

    def acknowledged(self) -> list[Sent]:
        with self._lock:
            return [sent for sent in self.messages.values() if sent.acknowledged]

    def silent_ways(self) -> list[str]:
        """Returns the ways by which messages were sent and none was acknowledged."""
        with self._lock:
            used = {sent.way for sent in self.messages.values()}
            heard = {sent.way for sent in self.messages.values() if sent.acknowledged}
        return sorted(used - heard)


def numbers_in(messages: Iterable[bytes]) -> Counter[int]:
    """Counts the copies of each message of the soak in `messages`."""
    found = (SUBJECT.search(message.partition(b"\r\n\r\n")[0]) for message in messages)
    return Counter(int(match[1]) for match in found if match)
