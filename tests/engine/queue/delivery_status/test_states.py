"""A message's state follows from the states of its recipients."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.queue.delivery_status.states import (
    UNFINISHED,
    DeliveryState,
    Group,
    MessageDelivery,
)

OF_RECIPIENTS = [
    state
    for state in DeliveryState
    if state not in (DeliveryState.PARTLY, DeliveryState.UNKNOWN)
]


def delivery(*states: DeliveryState) -> MessageDelivery:
    return MessageDelivery.of(Group(state, 1) for state in states)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ("", "unknown"),
        ("delivered delivered", "delivered"),
        ("sending delivered", "sending"),
        ("waiting returned", "waiting"),
        ("sending waiting", "waiting"),
        ("delivered waiting", "partly"),
        ("delivered returned", "partly"),
        ("sending delivered returned", "partly"),
        ("returned returned", "returned"),
        ("taken_back", "taken_back"),
    ],
)
def test_state_of_a_message(states: str, whole: str) -> None:
    assert delivery(*map(DeliveryState, states.split())).state == whole


@given(st.lists(st.sampled_from(OF_RECIPIENTS)))
def test_every_recipient_counts_once(states: list[DeliveryState]) -> None:
    found = delivery(*states)

    assert found.count == len(states)
    assert found.is_final is not any(state in UNFINISHED for state in states)
    assert found.state == delivery(*reversed(states)).state


def test_a_reason_is_given_only_where_all_have_it() -> None:
    waiting = DeliveryState.WAITING
    same = MessageDelivery.of(
        [Group(waiting, 2, why="Full"), Group(waiting, 1, why="Full")]
    )
    mixed = MessageDelivery.of(
        [Group(waiting, 1, why="Full"), Group(waiting, 1, why="Down")]
    )

    assert (same.waiting.why, same.waiting.count) == ("Full", 3)
    assert mixed.waiting.why == ""
