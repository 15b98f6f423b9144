"""Concurrent actions on the registry are serialised."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from engine.audit.checkpoints.verification import verify_chain
from engine.registry.actions import aliases, lists, mailboxes, people
from engine.registry.addresses.allocation import is_taken
from engine.registry.errors import PolicyError
from tests import factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ADDRESS = "dana@northfield.secure.example"


def test_one_address_asked_for_in_four_ways_is_given_once(northfield, alice):
    ways = [
        lambda: people.add(northfield, address=ADDRESS, name="Dana", by=None),
        lambda: mailboxes.add_group(northfield, address=ADDRESS, name="D", by=None),
        lambda: lists.add(northfield, address=ADDRESS, name="Dana", by=None),
        lambda: aliases.add(northfield, address=ADDRESS, target=alice.address, by=None),
    ]

    def try_action(way):
        try:
            way()
        except PolicyError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(try_action, ways))

    assert sorted(outcomes) == [False, False, False, True]
    assert is_taken(ADDRESS)
    assert verify_chain() == 1


def test_two_lists_put_into_each_other_make_no_circle(northfield):
    """Each of the two additions is valid alone."""
    made = [
        factories.make_list(f"l{n}@northfield.secure.example", northfield)
        for n in range(2)
    ]

    def try_to_nest(pair):
        here, there = pair
        try:
            lists.add_member(here, address=there.address, by=None)
        except PolicyError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(try_to_nest, [made, made[::-1]]))

    assert sorted(outcomes) == [False, True]
