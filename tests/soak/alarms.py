"""The alarm emails that the service sends to its operators."""

from __future__ import annotations

import email
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy

from tests.soak.faults import Fault
from tests.soak.world import World

NOTICED_WITHIN = 60.0  # seconds
LOOK_EVERY = 0.5


class Alarms:
    """The emails that reached the operators through the smart host."""

    def __init__(self, world: World) -> None:
        self._world = world

    def texts(self, since: int) -> list[str]:
        """Returns subject and body, in lower case, of emails after `since`."""
        return [_text(one.data) for one in self._world.smart_host.received[since:]]

    def is_reported(self, words: Iterable[str]) -> bool:
        """Whether the latest report with these words has an open alarm.

        An alarm that comes and goes stays open for ten minutes without another email.
        """
        last = ""
        for text in self.texts(0):
            _, *paragraphs = text.split("\n\n")
            for paragraph in paragraphs:
                title = paragraph.partition(".")[0]  # the title without the place
                if any(word in title for word in words):
                    last = title
        return bool(last) and not last.startswith("resolved:")

    def watch(self, fault: Fault) -> Watch:
        known = len(self._world.smart_host.received)
        return Watch(self, fault, known, is_open=self.is_reported(fault.words))


@dataclass
class Watch:
    """Waits for the alarm of one fault; created just before the fault begins."""

    alarms: Alarms
    fault: Fault
    heard_before: int
    is_open: bool
    noticed_after: float | None = None

    def __post_init__(self) -> None:
        self.began = time.time()
        self.ended = 0.0

    def wait(self, *, at_least: float) -> None:
        """Waits that long, until an alarm reports the fault or is overdue."""
        while True:
            passed = time.time() - self.began
            self._look(passed)
            is_late = self.is_open or passed > max(at_least, NOTICED_WITHIN)
            if passed >= at_least and (self.is_noticed or is_late):
                self.ended = time.time()
                return
            time.sleep(LOOK_EVERY)

    @property
    def is_noticed(self) -> bool:
        named = self.is_open or self.noticed_after is not None
        return named or not self.fault.words

    def _look(self, passed: float) -> None:
        if self.noticed_after is None and any(
            word in text
            for text in self.alarms.texts(self.heard_before)
            for word in self.fault.words
        ):
            self.noticed_after = passed


def _text(raw: bytes) -> str:
    message = email.message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("plain",))
    text = body.get_content().replace("\r\n", "\n") if body else ""
    return f"{message['Subject']}\n\n{text}".casefold()
