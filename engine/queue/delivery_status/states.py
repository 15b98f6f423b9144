"""Delivery states of recipients and of whole messages. Pure functions and values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models


class DeliveryState(models.TextChoices):
    """What became of a message, or of one recipient's copy.

    Delivered means that the mailbox or the recipient's server has it. Nobody is
    told whether it was read.
    """

    SENDING = "sending", "On its way"
    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    RETURNED = "returned", "Returned"
    TAKEN_BACK = "taken_back", "Taken back by its sender"
    RECALLED = "recalled", "Recalled"
    # Of a message, or of a copy for a list.
    PARTLY_RECALLED = "partly_recalled", "Recalled in part"
    WITHDRAWN = "withdrawn", "Withdrawn by the service"
    # Of messages only.
    PARTLY = "partly", "Partly delivered"
    UNKNOWN = "unknown", "No longer on record"


_RECALLED = {DeliveryState.RECALLED, DeliveryState.PARTLY_RECALLED}
_IN_NO_MAILBOX = {
    DeliveryState.RETURNED,
    DeliveryState.TAKEN_BACK,
    DeliveryState.RECALLED,
}
UNFINISHED = frozenset({DeliveryState.SENDING, DeliveryState.WAITING})


@dataclass(frozen=True, slots=True)
class Group:
    """The recipients of one message that are in one state.

    `why` is empty where they are in it for different reasons, or for none.
    """

    state: DeliveryState
    count: int
    at: datetime | None = None
    """When the last of them reached a final state."""
    next_attempt_at: datetime | None = None
    """The first that comes; None where it waits for its server, or is held."""
    why: str = ""
    is_held: bool = False
    """Whether it waits without attempts, so that it does not expire."""


@dataclass(frozen=True, slots=True)
class RecipientDelivery:
    """What became of the copy for one recipient. `words` say it in a sentence."""

    address: str
    state: DeliveryState
    words: str
    at: datetime | None = None
    next_attempt_at: datetime | None = None
    why: str = ""
    is_held: bool = False
    is_list: bool = False
    """Whether it is a distribution list, whose members only its owner sees."""

    def as_group(self) -> Group:
        """Returns the recipient as a group of one."""
        return Group(
            self.state, 1, self.at, self.next_attempt_at, self.why, self.is_held
        )


@dataclass(frozen=True, slots=True)
class MessageDelivery:
    """What became of a message. Without groups, nothing is on record any more.

    `since` is when it was accepted, `until` when attempts end.
    """

    groups: tuple[Group, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(
        cls,
        groups: Iterable[Group],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> MessageDelivery:
        """Returns the delivery with one group for each state."""
        by_state: dict[DeliveryState, list[Group]] = {}
        for group in groups:
            by_state.setdefault(group.state, []).append(group)
        merged = (_merged(by_state[one]) for one in DeliveryState if one in by_state)
        return cls(tuple(merged), since, until)

    @property
    def state(self) -> DeliveryState:
        """The state of the message as a whole."""
        states = [group.state for group in self.groups]
        if not states:
            return DeliveryState.UNKNOWN
        if self.is_final and not _RECALLED.isdisjoint(states):
            is_whole = _IN_NO_MAILBOX.issuperset(states)
            return DeliveryState.RECALLED if is_whole else DeliveryState.PARTLY_RECALLED
        is_troubled = {DeliveryState.WAITING, DeliveryState.RETURNED} & {*states}
        if is_troubled and DeliveryState.DELIVERED in states:
            return DeliveryState.PARTLY
        is_waiting = DeliveryState.WAITING in states
        return DeliveryState.WAITING if is_waiting else states[0]

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return not any(group.state in UNFINISHED for group in self.groups)

    @property
    def count(self) -> int:
        """How many recipients there are."""
        return sum(group.count for group in self.groups)

    @property
    def at(self) -> datetime | None:
        """When the last recipient reached a final state."""
        return max((group.at for group in self.groups if group.at), default=None)

    @property
    def waiting(self) -> Group | None:
        """The recipients that the message waits for; None where there are none."""
        waits = (one for one in self.groups if one.state is DeliveryState.WAITING)
        return next(waits, None)


def _merged(groups: Sequence[Group]) -> Group:
    reasons = {group.why for group in groups}
    return Group(
        groups[0].state,
        sum(group.count for group in groups),
        max((group.at for group in groups if group.at), default=None),
        min(
            (group.next_attempt_at for group in groups if group.next_attempt_at),
            default=None,
        ),
        reasons.pop() if len(reasons) == 1 else "",
        all(group.is_held for group in groups),
    )
