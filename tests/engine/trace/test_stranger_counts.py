from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

import pytest
from django.utils import timezone

from engine.trace import event_purge, stranger_counts
from engine.trace.models import StrangerCount
from engine.trace.stranger_counts import (
    OTHERS,
    SOURCES,
    Place,
    Refusals,
    StrangerCounter,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_a_source_is_what_one_customer_controls(address: str, source: str) -> None:
    assert stranger_counts.source_of(ip_address(address)) == source


def test_a_storm_from_everywhere_names_only_so_many_sources() -> None:
    counter = StrangerCounter()
    for number in range(SOURCES + 50):
        counter.count(ip_address(0x0A000000 + number), "530 5.7.0 No")

    stranger_counts.add(counter.take())

    assert StrangerCount.objects.count() == SOURCES + 1
    assert StrangerCount.objects.get(source=OTHERS).refusals == 50


def test_counts_of_several_writers_add_up() -> None:
    place = Place(stranger_counts.hour_of(timezone.now()), "192.0.2.7")

    stranger_counts.add({place: Refusals(3, "530 5.7.0 First")})
    stranger_counts.add({place: Refusals(4, "535 5.7.8 Last")})

    row = StrangerCount.objects.get()
    assert (row.refusals, row.last_reply) == (7, "535 5.7.8 Last")


def test_what_could_not_be_written_is_kept() -> None:
    counter = StrangerCounter()
    counter.count(ip_address("192.0.2.7"), "530 5.7.0 First")
    taken = counter.take()
    counter.count(ip_address("192.0.2.7"), "530 5.7.0 Last")

    counter.put_back(taken)

    assert list(counter.take().values()) == [Refusals(2, "530 5.7.0 Last")]


def test_old_counts_go_with_the_old_events() -> None:
    old = timezone.now() - timedelta(days=1000)
    for hour in (old, timezone.now()):
        place = Place(stranger_counts.hour_of(hour), "192.0.2.7")
        stranger_counts.add({place: Refusals(1, "530 5.7.0 No")})

    event_purge.purge()

    assert StrangerCount.objects.get().hour > old
