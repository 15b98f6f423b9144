"""Concurrent actions on the registry are serialised."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from engine.audit.checkpoints.verification import verify_chain
from engine.registry.actions import aliases, lists, mailboxes, people
from engine.registry.addresses.allocation import is_taken
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from tests import factories
from tests.engine.storage.conftest import deliver

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


def test_an_account_that_gets_mail_at_this_moment_is_not_removed(northfield, alice):
    dana = people.add(northfield, address=ADDRESS, name="Dana", by=None)
    arriving = threading.Event()

    def receive():
        try:
            with transaction.atomic():
                deliver(Mailbox.objects.get(owner=dana))
                arriving.set()
                time.sleep(0.3)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        received = threads.submit(receive)
        arriving.wait(10)
        with pytest.raises(PolicyError, match="has been used"):
            people.remove(dana, by=alice)
        received.result()
