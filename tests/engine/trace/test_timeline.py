from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.trace import timeline
from engine.trace.models import Event, EventKind
from engine.trace.timeline import Visibility

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KIM = "kim@harbour.secure.example"


def record_events(kind: EventKind, recipient: str = "", **detail: Any) -> Event:
    return Event(reference="R1", recipient=recipient, kind=kind, at=NOON, detail=detail)


def test_each_kind_has_its_words() -> None:
    assert set(timeline.WORDS) == set(EventKind)


def test_story_tells_the_message_then_each_recipient() -> None:
    found = timeline.build_timeline(
        [
            record_events(EventKind.RECEIVED, sender="bob@northfield.secure.example"),
            record_events(EventKind.DEFERRED, KIM, reply="451 4.4.1 Down"),
            record_events(EventKind.DELIVERED, "ada@harbour.secure.example"),
            record_events(EventKind.RELAYED, KIM, reply="250 2.0.0 Taken"),
        ],
        Visibility.MEMBER,
    )

    assert [step.text for step in found.message_steps] == ["Accepted and kept"]
    ada, kim = found.recipients
    assert ada.outcome.text == "Delivered to the mailbox"
    assert [step.is_problem for step in kim.steps] == [True, False]


def test_a_deferral_that_repeats_itself_is_one_step_that_says_how_often() -> None:
    later = NOON + timedelta(hours=3)
    detail = {"reply": "451 4.4.1 Down", "times": 7, "last_at": later.isoformat()}

    found = timeline.step(
        record_events(EventKind.DEFERRED, KIM, **detail), Visibility.MEMBER
    )

    assert "after 7 attempts" in found.text
    assert (found.times, found.at, found.last_at) == (7, NOON, later)


@pytest.mark.parametrize(
    ("reply", "part"),
    [
        ("550 5.1.1 No such user", "This address does not exist"),
        ("452 4.2.2 Full", "mailbox is full"),
        ("454 4.7.5 Wrong certificate", "renew its certificate"),
        ("550 5.1.99 Something new", "wrong with the address"),
        ("550 no code at all", ""),
        ("550 5.999.999 Unknown", ""),
        ("version 15.1.1 of our server", ""),
    ],
)
def test_failure_says_what_to_do(reply: str, part: str) -> None:
    step = timeline.step(
        record_events(EventKind.FAILED, KIM, reply=reply), Visibility.MEMBER
    )

    assert part in step.advice
    assert bool(step.advice) is bool(part)


def test_success_needs_no_advice() -> None:
    step = timeline.step(
        record_events(EventKind.DELIVERED, KIM, reply="250 2.1.1 Fine"),
        Visibility.MEMBER,
    )

    assert step.advice == ""


def test_only_staff_read_of_servers() -> None:
    event = record_events(
        EventKind.RECEIVED, peer="192.0.2.7", tls="TLSv1.3", person_id=7
    )

    member, staff = (
        timeline.step(event, visibility).facts for visibility in Visibility
    )

    assert member == ()
    assert ("From the address", "192.0.2.7") in staff
    assert "7" not in [value for _, value in staff]


@pytest.mark.parametrize("visibility", Visibility)
def test_what_its_sender_took_back_is_not_an_operators_doing(
    visibility: Visibility,
) -> None:
    event = record_events(
        EventKind.DROPPED, KIM, reason="taken back by its sender before it left"
    )

    step = timeline.step(event, visibility)

    assert (step.text, step.reply) == ("Taken back by its sender", "")
    assert timeline.label(event) == "Taken back by its sender"


def test_operators_read_one_another_s_reasons_and_members_those_of_suspensions() -> (
    None
):
    dropped = record_events(EventKind.DROPPED, KIM, reason="Stolen")
    held = record_events(EventKind.HELD, KIM, reason="Firm is away", hold="suspension")

    def reply(event: Event, visibility: Visibility) -> str:
        return timeline.step(event, visibility).reply

    assert reply(dropped, Visibility.STAFF) == "Stolen"
    assert reply(dropped, Visibility.MEMBER) == ""
    assert reply(held, Visibility.MEMBER) == "Firm is away"


@given(
    st.lists(
        st.builds(
            record_events,
            st.sampled_from(EventKind),
            st.sampled_from(["", KIM, "ada@x.example"]),
            reply=st.text(max_size=80),
        )
    ),
    st.sampled_from(Visibility),
)
def test_every_event_is_shown_once(events: list[Event], visibility: Visibility) -> None:
    found = timeline.build_timeline(events, visibility)

    steps = [*found.message_steps, *(s for one in found.recipients for s in one.steps)]
    assert len(steps) == len(events)
