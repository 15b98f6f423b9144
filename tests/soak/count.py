"""Compares what was acknowledged with what arrived."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.peers.process import PeerError
from tests.soak.alarms import NOTICED_WITHIN, Watch
from tests.soak.ledger import Ledger, Sent, numbers_in
from tests.soak.traffic import TO_A_SERVER
from tests.soak.world import World

LOOK_EVERY = 5.0
# Seconds around a sudden stop during which a next hop may have accepted a message whose
# reply was never read: SMTP has no way to find out (RFC 1047).
WINDOW = 10.0


# Begin and end of a fault, in Unix time.
Span = tuple[float, float]


@dataclass
class MailCount:
    """What happened to the messages."""

    acknowledged: int = 0
    lost: list[Sent] = field(default_factory=list)
    doubled: list[Sent] = field(default_factory=list)
    stuck: list[Sent] = field(default_factory=list)
    in_window: list[Sent] = field(default_factory=list)
    # Ways to send by which no message was ever acknowledged.
    silent: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.stuck or self.silent)

    @property
    def details(self) -> list[str]:
        """A line for each message that is missing or there too often."""
        groups = {"lost": self.lost, "stuck": self.stuck, "doubled": self.doubled}
        return [
            *(f"never acknowledged: {way}" for way in self.silent),
            *(f"{name}: {sent}" for name, group in groups.items() for sent in group),
        ]

    @property
    def numbers(self) -> str:
        return (
            f"acknowledged {self.acknowledged}, lost {len(self.lost)}, "
            f"doubled {len(self.doubled)}, stuck {len(self.stuck)}"
        )


@dataclass
class Outcome:
    """The result: what happened to the messages, and which faults were reported."""

    mail: MailCount = field(default_factory=MailCount)
    watches: list[Watch] = field(default_factory=list)
    # Alarms that stay open although their cause has gone.
    lasting: list[str] = field(default_factory=list)

    def add(self, watch: Watch) -> None:
        self.watches.append(watch)
        after = watch.noticed_after
        said = "" if after is None else f"reported by an alarm after {after:.0f} s"
        if not said and watch.is_open:
            said = "its alarm was still open from before"
        expected = "no alarm reported it" if watch.fault.words else "no alarm expected"
        print(f"    {said or expected}", flush=True)

    @property
    def unnoticed(self) -> list[Watch]:
        return [watch for watch in self.watches if not watch.is_noticed]

    @property
    def is_good(self) -> bool:
        return self.mail.is_good and not (self.unnoticed or self.lasting)

    def in_words(self) -> str:
        details = self.mail.details
        details += [f"unnoticed: {watch.fault.name}" for watch in self.unnoticed]
        details += [f"alarm still open: {one}" for one in self.lasting]
        numbers = (
            f"{self.mail.numbers}, "
            f"unnoticed {len(self.unnoticed)}; doubled in SMTP's own window "
            f"{len(self.mail.in_window)}; {len(self.watches)} faults"
        )
        return "\n".join([*details, numbers])


def count(world: World, ledger: Ledger, outcome: Outcome, *, patience: float) -> None:
    """Records the alarms that stay open, and what happened to the messages."""
    outcome.lasting = _lasting(world)
    spans = [
        (watch.began, max(watch.ended, watch.began))
        for watch in outcome.watches
        if watch.fault.is_sudden
    ]
    outcome.mail = count_mail(world, ledger, sudden=spans, patience=patience)


def count_mail(
    world: World, ledger: Ledger, *, sudden: Iterable[Span], patience: float
) -> MailCount:
    """Waits for acknowledged messages, then returns the missing and duplicated.

    `sudden` are the faults that ended a process which relays mail. Gives up after
    `patience` seconds.
    """
    wanted = ledger.acknowledged()
    found = MailCount(len(wanted), silent=ledger.silent_ways())
    windows = list(sudden)
    deadline = time.monotonic() + patience
    arrived = _arrived(world)
    while any(sent.number not in arrived for sent in wanted):
        if time.monotonic() > deadline:
            break
        time.sleep(LOOK_EVERY)
        arrived = _arrived(world)
    missing = [sent for sent in wanted if sent.number not in arrived]
    waiting = world.waiting_numbers()
    found.stuck = [sent for sent in missing if sent.number in waiting]
    found.lost = [sent for sent in missing if sent.number not in waiting]
    for sent in (ledger.messages[number] for number, n in arrived.items() if n > 1):
        is_far = sent.way == TO_A_SERVER
        times = world.arrivals(sent.number) if is_far else []
        near = is_far and _is_in_window(times, windows)
        (found.in_window if near else found.doubled).append(sent)
    return found


def _lasting(world: World) -> list[str]:
    """Returns the alarms that are still open a minute after the last fault."""
    deadline = time.monotonic() + NOTICED_WITHIN
    while (found := world.lasting_alarms()) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    return found


def _arrived(world: World) -> Counter[int]:
    """Returns how many copies of each message are in its reader's mailbox."""
    found = numbers_in(world.firm.postfix.messages(world.firm.local))
    for reader in world.readers.values():
        try:
            found += numbers_in(world.mailbox(reader))
        except PeerError:
            continue
    return found


def _is_in_window(times: Iterable[float], windows: Iterable[Span]) -> bool:
    """Whether the first copy arrived around the time of a sudden stop."""
    first = min(times, default=0.0)
    return any(began - WINDOW <= first <= ended + WINDOW for began, ended in windows)
