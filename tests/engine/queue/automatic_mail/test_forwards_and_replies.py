from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from engine.mail.errors import TemporaryFailure
from engine.mail.header import HeaderBlock
from engine.mail.message import split
from engine.mail.smtp_replies import TRY_LATER
from engine.queue.automatic_mail import forwards_and_replies, out_of_office_reply
from engine.queue.delivery import maintenance
from engine.queue.enqueue import commit
from engine.queue.enqueue.accepted_message import AcceptedMessage
from engine.queue.models import QueuedMessage, Recipient
from engine.registry.models import Mailbox, Organisation, Person
from engine.routing import policies
from engine.storage import content, out_of_office, rules
from engine.storage.models import Answered, AutomaticMail, Message, Rule
from tests import factories
from tests.engine.storage.conftest import compose_message, deliver, named_address

CHARLIE = "charlie@harbour.secure.example"


@pytest.fixture
def mailbox(bob: Person, charlie: Person) -> Mailbox:
    return bob.mailbox


@pytest.fixture
def away(mailbox: Mailbox) -> Mailbox:
    """Bob has been away since yesterday."""
    out_of_office.turn_on(
        mailbox,
        starts_at=timezone.now() - timedelta(days=1),
        ends_at=None,
        subject="",
        text="I am back on Monday.\n",
    )
    return mailbox


def from_charlie(mailbox: Mailbox, **over: object) -> Message:
    raw = compose_message(sender=named_address("Charlie", CHARLIE), **over)
    return deliver(mailbox, raw, sender=CHARLIE)


def answers() -> list[str]:
    """Returns the automatic replies that Charlie got, as text."""
    rows = Message.objects.filter(mailbox__address=CHARLIE).order_by("pk")
    return [content.read(row).decode() for row in rows]


def test_who_writes_is_told_once(away: Mailbox) -> None:
    from_charlie(away)
    from_charlie(away)

    assert forwards_and_replies.send_due() == 2
    assert forwards_and_replies.send_due() == 0

    [answer] = answers()
    assert "I am back on Monday." in answer
    assert "Subject: Automatic reply: Hearing on Monday" in answer
    assert "Auto-Submitted: auto-replied" in answer
    assert "In-Reply-To: <" in answer
    assert QueuedMessage.objects.get().sender == ""


def test_who_writes_again_after_a_week_is_told_again(away: Mailbox) -> None:
    from_charlie(away)
    forwards_and_replies.send_due()
    Answered.objects.update(at=timezone.now() - timedelta(days=8))

    from_charlie(away)
    forwards_and_replies.send_due()

    assert len(answers()) == 2


@pytest.mark.parametrize(
    "field",
    [
        ("Auto-Submitted", "auto-generated"),
        ("Auto-Submitted", "auto-replied (vacation)"),
        ("Precedence", "bulk"),
        ("List-Id", "<all.northfield.example>"),
        ("List-Unsubscribe", "<mailto:x@y.example>"),
        ("X-Loop", "somebody@northfield.secure.example"),
        ("X-Auto-Response-Suppress", "OOF"),
    ],
)
def test_machines_and_lists_are_not_answered(
    away: Mailbox, field: tuple[str, str]
) -> None:
    from_charlie(away, extra_headers=dict([field]))

    forwards_and_replies.send_due()

    assert answers() == []


@pytest.mark.parametrize(
    "sender",
    ["", "noreply@harbour.secure.example", "MAILER-DAEMON@harbour.secure.example"],
)
def test_nobody_who_reads_no_answers_is_answered(away: Mailbox, sender: str) -> None:
    deliver(away, compose_message(), sender=sender)

    forwards_and_replies.send_due()

    assert not QueuedMessage.objects.exists()


def test_a_blind_copy_is_not_answered(away: Mailbox) -> None:
    from_charlie(away, to=[named_address("Vera", "vera@secure.example")])

    forwards_and_replies.send_due()

    assert answers() == []


def test_nobody_is_answered_before_the_first_day_or_after_the_last(
    mailbox: Mailbox,
) -> None:
    now = timezone.now()
    for starts_at, ends_at in (
        (now + timedelta(days=1), None),
        (now - timedelta(days=2), now - timedelta(days=1)),
    ):
        out_of_office.turn_on(
            mailbox, starts_at=starts_at, ends_at=ends_at, subject="", text="Away"
        )
        from_charlie(mailbox)

    assert not AutomaticMail.objects.exists()
    assert out_of_office.current_text(mailbox.pk) == ""


def test_two_who_are_away_do_not_answer_each_other_for_ever(
    away: Mailbox, charlie: Person
) -> None:
    out_of_office.turn_on(
        charlie.mailbox,
        starts_at=timezone.now() - timedelta(days=1),
        ends_at=None,
        subject="",
        text="Away too",
    )
    from_charlie(away)

    forwards_and_replies.send_due()
    forwards_and_replies.send_due()

    assert len(answers()) == 1
    assert QueuedMessage.objects.count() == 1


def test_a_message_is_forwarded_as_it_is(mailbox: Mailbox, charlie: Person) -> None:
    rules.save(
        Rule(mailbox=mailbox, name="On", subject_contains="a", forward_to=CHARLIE),
        by=mailbox.owner,
    )
    message = deliver(mailbox)

    forwards_and_replies.send_due()

    [forwarded] = answers()
    whole = content.read(message).decode()
    assert forwarded == f"X-Loop: {mailbox.address}\r\n{whole}"
    assert Recipient.objects.get().address == CHARLIE
    assert QueuedMessage.objects.get().sender == mailbox.address


def test_a_circle_of_forwards_ends(mailbox: Mailbox, charlie: Person) -> None:
    for one, other in ((mailbox, charlie.mailbox), (charlie.mailbox, mailbox)):
        rules.save(
            Rule(
                mailbox=one,
                name="On",
                subject_contains="a",
                forward_to=other.address,
            ),
            by=one.owner,
        )
    deliver(mailbox)

    while forwards_and_replies.send_due():
        pass

    assert Message.objects.count() == 3
    assert not AutomaticMail.objects.exists()


def test_mailboxes_that_all_forward_to_each_other_do_so_once(
    mailbox: Mailbox, northfield: Organisation
) -> None:
    others = [
        factories.make_mailbox(
            factories.make_person(f"{name}@northfield.secure.example", northfield)
        )
        for name in ("dora", "emil", "fritz", "gerda")
    ]
    team = [mailbox, *others]
    for one in team:
        for other in team:
            if other != one:
                rules.save(
                    Rule(
                        mailbox=one,
                        name="On",
                        subject_contains="a",
                        forward_to=other.address,
                    ),
                    by=one.owner,
                )
    deliver(mailbox)

    while forwards_and_replies.send_due():
        pass

    assert QueuedMessage.objects.count() == len(team) * (len(team) - 1)


HOSTILE = [
    "=?utf-8?B?U3ViamVjdA0KQmNjOiBvbGl2ZUBzZWN1cmUuZXhhbXBsZQ==?=",
    "=?utf-16?B?2AA=?= \\udc80",
    "x" * 60_000,
    "<" * 900 + "@" * 900 + ">",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["Subject", "Message-ID", "References", "Reply-To"])
def test_whatever_a_header_holds_the_answer_is_sent_and_nothing_is_held_up(
    away: Mailbox, name: str, value: str
) -> None:
    header, body = split(compose_message(sender=named_address("Charlie", CHARLIE)))
    kept = [
        field
        for field in HeaderBlock.parse(header).fields
        if field.name.lower() != name.lower()
    ]
    raw = HeaderBlock(tuple(kept)).to_bytes().removesuffix(b"\r\n")
    deliver(
        away,
        f"{name}: {value}\r\n".encode("latin-1", "replace") + raw + b"\r\n" + body,
        sender=CHARLIE,
    )

    forwards_and_replies.send_due()

    [answer] = answers()
    assert "I am back on Monday." in answer
    head = answer.partition("\r\n\r\n")[0]
    assert "\nBcc" not in head
    assert max(map(len, head.split("\r\n"))) <= 998


def test_an_errand_whose_sending_fails_is_put_off_and_sent_once(
    away: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_charlie(away)

    def raise_fault(batch: object) -> list[str]:
        raise OSError("no room on the disk")

    with monkeypatch.context() as broken:
        broken.setattr(commit, "commit_messages", raise_fault)
        forwards_and_replies.send_due()
    assert answers() == []
    assert not Answered.objects.exists()
    AutomaticMail.objects.update(due_at=timezone.now())
    forwards_and_replies.send_due()

    assert len(answers()) == 1
    assert not AutomaticMail.objects.exists()


class Fault(Exception):
    """An unexpected exception."""


def test_an_errand_that_fails_whatever_the_fault_stops_no_other_and_is_kept(
    away: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = from_charlie(away)
    from_charlie(away)
    sound = out_of_office_reply.reply_to

    def only_the_second(message: Message, requires_tls: bool) -> AcceptedMessage | None:
        if message == first:
            raise Fault("unheard of")
        return sound(message, requires_tls)

    monkeypatch.setattr(out_of_office_reply, "reply_to", only_the_second)
    for _ in range(forwards_and_replies.MAX_ATTEMPTS + 1):
        maintenance.run_due()
        AutomaticMail.objects.update(due_at=timezone.now())

    assert len(answers()) == 1
    [left] = AutomaticMail.objects.all()
    assert (left.message, left.attempts) == (first, forwards_and_replies.MAX_ATTEMPTS)
    assert left.fault == "unheard of"
    assert left.set_aside_at is not None

    monkeypatch.setattr(out_of_office_reply, "reply_to", sound)
    Answered.objects.all().delete()
    call_command("retry_automatic_mail")
    maintenance.run_due()

    assert len(answers()) == 2
    assert not AutomaticMail.objects.exists()


def test_a_step_of_the_sweep_that_fails_stops_no_other(
    away: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_charlie(away)

    def raise_fault(now: datetime) -> None:
        raise Fault

    monkeypatch.setattr(maintenance, "return_expired", raise_fault)
    maintenance.run_due()

    assert len(answers()) == 1


def test_a_stopped_mailbox_leaves_the_sweeps_to_others(
    away: Mailbox, charlie: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwards_and_replies, "LIMIT", 1)
    stopped = [from_charlie(away) for _ in range(3)]
    colleague = factories.make_person(
        "dana@northfield.secure.example", away.organisation
    )
    rules.save(
        Rule(
            mailbox=factories.make_mailbox(colleague),
            name="On",
            subject_contains="a",
            forward_to=CHARLIE,
        ),
        by=colleague,
    )
    deliver(colleague.mailbox)
    sound = forwards_and_replies.check_not_stopped

    def stop(known: object, *args: object, person_id: int, **kwargs: object) -> None:
        if person_id == away.owner_id:
            raise TemporaryFailure(TRY_LATER)

    monkeypatch.setattr(forwards_and_replies, "check_not_stopped", stop)
    forwards_and_replies.send_due()
    forwards_and_replies.send_due()

    assert len(answers()) == 1
    assert forwards_and_replies.send_due() == 0
    waiting = AutomaticMail.objects.values_list("message", flat=True)
    assert set(waiting) == {one.pk for one in stopped}

    monkeypatch.setattr(forwards_and_replies, "check_not_stopped", sound)
    AutomaticMail.objects.update(due_at=timezone.now())
    while forwards_and_replies.send_due():
        pass
    assert len(answers()) == 2


def test_a_passing_refusal_loses_no_forward(
    mailbox: Mailbox, charlie: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules.save(
        Rule(mailbox=mailbox, name="On", subject_contains="a", forward_to=CHARLIE),
        by=mailbox.owner,
    )
    deliver(mailbox)

    def not_now(*args: object, **kwargs: object) -> None:
        raise TemporaryFailure(TRY_LATER)

    with monkeypatch.context() as patched:
        patched.setattr(policies, "check_can_reach", not_now)
        forwards_and_replies.send_due()
    assert answers() == []
    AutomaticMail.objects.update(due_at=timezone.now())
    forwards_and_replies.send_due()

    assert len(answers()) == 1
