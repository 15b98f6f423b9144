"""How much each sender may send: counted in memory, shared through the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from engine.mail.smtp_replies import Reply
from engine.queue import finished_mail_purge
from engine.queue.models import SendingCount
from engine.queue.sending_rates import rate_limits, sending_counts
from engine.queue.sending_rates.rate_limits import Meter, RateExceededError
from engine.queue.sending_rates.sending_counts import Count, Key
from engine.registry.models import Connection, Person
from engine.registry.models import SenderKind as Kind
from engine.registry.senders import Sender
from engine.routing import routes
from portal.configuration.environment import Environment
from portal.configuration.sending_rates import Rates

pytestmark = pytest.mark.django_db

FEW = Rates(minute=3, hour=5, day=8)
NOON = 1_800_014_400.0  # the start of an hour and of a day


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def meter() -> Iterator[Meter]:
    rate_limits.meter.clear()
    yield rate_limits.meter
    rate_limits.meter.clear()


@pytest.fixture(autouse=True)
def _low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("person_messages", "person_recipients", "list_messages"):
        monkeypatch.setattr(settings.POSTERN, name, FEW)


def sender(person: Person) -> Sender:
    return Sender(Kind.PERSON, person.pk, person.organisation_id)


def send(meter: Meter, one: Sender, *, recipients: int = 1) -> None:
    """Sends one message, which may be refused."""
    meter.check(routes.current(), one, messages=1, recipients=recipients)
    meter.count([(one, Count(1, recipients))])


def test_a_minute_an_hour_and_a_day_each_have_an_end(bob: Person) -> None:
    clock = Clock()
    meter = Meter(clock)
    bob_sends = sender(bob)

    def send_until_refused() -> tuple[int, RateExceededError]:
        for count in range(100):
            try:
                send(meter, bob_sends)
            except RateExceededError as error:
                return count, error
        raise AssertionError("never asked to wait")

    count, error = send_until_refused()
    assert (count, error.retry_after) == (3, 61)
    assert "3 messages in one minute; try again in 61 seconds" in error.reply.text
    clock.now += 60
    count, error = send_until_refused()
    assert (count, error.retry_after) == (2, 3541)
    assert "5 messages in one hour; try again in 60 minutes" in error.reply.text
    clock.now += 3600
    count, error = send_until_refused()
    assert (count, error.retry_after) == (3, 43_200 - 3659)
    assert "8 messages in one day; try again in 11 hours" in error.reply.text
    clock.now += 86_400
    assert send_until_refused()[0] == 3


def test_recipients_are_counted_too_and_the_first_message_always_passes(
    bob: Person,
) -> None:
    meter = Meter(Clock())

    send(meter, sender(bob), recipients=50)

    with pytest.raises(RateExceededError, match="to 8 recipients in one day") as he:
        send(meter, sender(bob), recipients=1)
    assert (he.value.reply.code, he.value.reply.enhanced) == (452, "4.5.3")


def test_each_sender_has_rates_of_its_own(
    alice: Person, bob: Person, firm_connection: Connection
) -> None:
    meter = Meter(Clock())
    for _ in range(3):
        send(meter, sender(bob))

    send(meter, sender(alice))
    send(meter, Sender(Kind.CONNECTION, bob.pk, None))


def test_what_one_process_counts_the_others_know_a_second_later(bob: Person) -> None:
    clock = Clock()
    first, second = Meter(clock), Meter(clock)
    for _ in range(2):
        send(first, sender(bob))
        send(second, sender(bob))

    for meter in (first, second, first):
        meter.share()
        meter.load_shared([sender(bob)])

    row = SendingCount.objects.get(span="minute")
    assert (row.messages, row.recipients) == (4, 4)
    for meter in (first, second):
        with pytest.raises(RateExceededError):
            send(meter, sender(bob))


def test_a_process_that_starts_anew_learns_with_its_first_second(bob: Person) -> None:
    clock = Clock()
    before = Meter(clock)
    for _ in range(3):
        send(before, sender(bob))
    before.share()

    after = Meter(clock)
    send(after, sender(bob))
    after.share()

    with pytest.raises(RateExceededError):
        send(after, sender(bob))
    assert SendingCount.objects.get(span="day").messages == 4


@given_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 5), st.booleans()), max_size=12
    )
)
def test_nothing_is_counted_twice_or_lost_however_processes_share(
    steps: list[tuple[int, int, bool]],
) -> None:
    clock = Clock()
    meters = [Meter(clock) for _ in range(3)]
    one = Sender(Kind.KEY, 77, None)
    SendingCount.objects.all().delete()

    for process, recipients, shares in steps:
        meters[process].count([(one, Count(1, recipients))])
        if shares:
            meters[process].share()
    for meter in meters:
        meter.share()
        meter.share()

    rows = sending_counts.read([Key("key:77", "hour", int(NOON))])
    total = Count(len(steps), sum(recipients for _, recipients, _ in steps))
    assert rows.get(Key("key:77", "hour", int(NOON)), Count()) == total


def test_counting_asks_nothing_and_sharing_asks_once(
    bob: Person, alice: Person, django_assert_num_queries: object
) -> None:
    meter = Meter(Clock())
    known = routes.current()

    with django_assert_num_queries(0):
        for one in (sender(bob), sender(alice)):
            meter.check(known, one, messages=1, recipients=2)
            meter.count([(one, Count(1, 2))])
    with django_assert_num_queries(1):
        meter.share()
    with django_assert_num_queries(0):
        assert meter.share() == []


def test_what_cannot_be_written_now_is_written_later(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(Clock())
    send(meter, sender(bob))
    monkeypatch.setattr(sending_counts, "AT_ONCE", 0)
    with pytest.raises(ValueError):
        meter.share()
    monkeypatch.undo()

    meter.share()

    assert SendingCount.objects.get(span="hour").messages == 1


def test_spans_that_are_over_are_forgotten(bob: Person) -> None:
    clock = Clock(time.time() - 3 * 86_400)
    meter = Meter(clock)
    send(meter, sender(bob))
    meter.share()
    clock.now += 3 * 86_400
    send(meter, sender(bob))
    meter.share()

    assert len(meter._shared) == 3
    finished_mail_purge.purge()
    assert SendingCount.objects.count() == 3
    SendingCount.objects.update(starts=1)
    finished_mail_purge.purge()
    assert not SendingCount.objects.exists()


def test_a_normal_day_never_meets_the_usual_rates() -> None:
    """478,000 people send 137,000 messages a day, here through one connection.

    A case system sends thousands an hour; a list has 1,000 members.
    """
    usual = Environment(env="production")

    assert usual.connection_messages.day * 2 > 50_000_000 / 365
    assert usual.key_messages.hour >= 10_000
    assert usual.list_recipients.minute >= 10 * 1_000
    assert usual.person_messages.day >= 1_000
    assert usual.person_recipients.minute >= 1_000


def test_what_is_set_holds_and_what_is_not_leaves_room_for_benchmarks() -> None:
    rehearsal = Environment(
        env="development", person_messages={"minute": 2, "hour": 3, "day": 4}
    )

    assert rehearsal.person_messages == Rates(minute=2, hour=3, day=4)
    assert rehearsal.connection_messages.minute >= 60_000
    with pytest.raises(ValueError):
        Environment(person_messages={"minute": 0, "hour": 3, "day": 4})


def test_replies_are_temporary_and_fit_a_line(bob: Person) -> None:
    meter = Meter(Clock())
    for _ in range(3):
        send(meter, sender(bob))
    with pytest.raises(RateExceededError) as refused:
        send(meter, sender(bob))

    assert isinstance(refused.value.reply, Reply)
    assert (refused.value.reply.code, refused.value.reply.enhanced) == (450, "4.7.1")
    assert len(str(refused.value.reply)) < 200
