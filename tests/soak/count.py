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
from tests.soak.world import READERS, World

LOOK_EVERY = 5.0
# Seconds around a sudden stop during which a next hop may have accepted a message whose
# reply was never read: SMTP has no way to find out (RFC 1047).
WINDOW = 10.0


@dataclass
class Outcome:
    """The result: what happened to the messages, and which faults were reported."""

    acknowledged: int = 0
    lost: list[Sent] = field(default_factory=list)
    doubled: list[Sent] = field(default_factory=list)
    stuck: list[Sent] = field(default_factory=list)
    in_window: list[Sent] = field(default_factory=list)
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
        mail = self.lost or self.doubled or self.stuck
        return not (mail or self.unnoticed or self.lasting)

    def in_words(self) -> str:
        details = [f"lost: {sent}" for sent in self.lost]
        details += [f"stuck: {sent}" for sent in self.stuck]
        details += [f"doubled: {sent}" for sent in self.doubled]
        details += [f"unnoticed: {watch.fault.name}" for watch in self.unnoticed]
        details += [f"alarm still open: {one}" for one in self.lasting]
        numbers = (
            f"acknowledged {self.acknowledged}, lost {len(self.lost)}, "
            f"doubled {len(self.doubled)}, stuck {len(self.stuck)}, "
            f"unnoticed {len(self.unnoticed)}; doubled in SMTP's own window "
            f"{len(self.in_window)}; {len(self.watches)} faults"
        )
        return "\n".join([*details, numbers])


def count(world: World, ledger: Ledger, outcome: Outcome, *, patience: float) -> None:
    """Waits for acknowledged messages, then records the missing and duplicated.

    Gives up after `patience` seconds.
    """
    wanted = ledger.acknowledged()
    outcome.acknowledged = len(wanted)
    outcome.lasting = _lasting(world)
    deadline = time.monotonic() + patience
    arrived = _arrived(world)
    while any(sent.number not in arrived for sent in wanted):
        if time.monotonic() > deadline:
            break
        time.sleep(LOOK_EVERY)
        arrived = _arrived(world)
    missing = [sent for sent in wanted if sent.number not in arrived]
    waiting = world.waiting_numbers()
    outcome.stuck = [sent for sent in missing if sent.number in waiting]
    outcome.lost = [sent for sent in missing if sent.number not in waiting]
    for sent in (ledger.messages[number] for number, n in arrived.items() if n > 1):
        is_far = sent.way == TO_A_SERVER
        times = world.arrivals(sent.number) if is_far else []
        near = is_far and _is_in_window(times, outcome.watches)
        (outcome.in_window if near else outcome.doubled).append(sent)


def _lasting(world: World) -> list[str]:
    """Returns the alarms that are still open a minute after the last fault."""
    deadline = time.monotonic() + NOTICED_WITHIN
    while (found := world.lasting_alarms()) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    return found


def _arrived(world: World) -> Counter[int]:
    """Returns how many copies of each message are in its reader's mailbox."""
    found = numbers_in(world.firm.postfix.messages(world.firm.local))
    for way in READERS:
        try:
            found += numbers_in(world.mailbox(way))
        except PeerError:
            continue
    return found


def _is_in_window(times: Iterable[float], watches: Iterable[Watch]) -> bool:
    """Whether the first copy arrived around the time of a sudden stop."""
    first = min(times, default=0.0)
    return any(
        watch.fault.is_sudden
        and watch.began - WINDOW <= first <= max(watch.ended, watch.began) + WINDOW
        for watch in watches
    )
