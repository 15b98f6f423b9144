from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from engine.database import clock

pytestmark = pytest.mark.django_db

AHEAD = timedelta(minutes=5)


def test_the_time_is_the_databases_whatever_the_host_believes() -> None:
    real = timezone.now()

    with time_machine.travel(real + AHEAD):
        said, held = clock.now(), clock.estimated_timestamp()

    assert abs(said - real) < timedelta(seconds=30)
    assert abs(held - real.timestamp()) < 30


def test_what_was_written_a_moment_ago_is_not_in_the_future() -> None:
    for _ in range(50):
        assert timezone.now() <= clock.now()


def test_asking_takes_one_query_and_looking_takes_none(
    django_assert_num_queries,
) -> None:
    with django_assert_num_queries(1):
        clock.now()
    with django_assert_num_queries(0):
        clock.estimated_timestamp()
