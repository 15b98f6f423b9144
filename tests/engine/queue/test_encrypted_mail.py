"""Mail that is stored encrypted takes every way that other mail takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from engine.encryption import key_checks, organisation_keys
from engine.encryption.errors import MasterKeyUnavailableError
from engine.encryption.models import COMMUNITY
from engine.queue import delivery_keys
from engine.queue.models import Recipient, RecipientStatus
from engine.registry.models import Connection, Organisation, Person
from engine.storage.models import Content, ContentKey, Message
from tests import encryption, factories
from tests.engine.queue.conftest import JANE, RAW, Queue
from tests.next_hop import NextHop

pytestmark = pytest.mark.django_db

LIST = "duty@northfield.secure.example"
LARGE = RAW + b"line\r\n" * 50_000
Read = Callable[[Message], bytes]


@pytest.fixture(autouse=True)
def encrypted(settings: Settings, var: Path) -> Iterator[None]:
    yield from encryption.switched_on(settings)


@pytest.fixture
def kms(tmp_path: Path, settings: Settings) -> Path:
    settings.POSTERN = settings.POSTERN.model_copy(
        update={"master_key": "", "master_key_command": encryption.kms(tmp_path)}
    )
    return tmp_path


def holders() -> list[int]:
    return sorted(ContentKey.objects.values_list("organisation_id", flat=True))


def test_what_is_delivered_at_once_is_the_organisations_alone(
    queue: Queue, alice: Person, bob: Person, read: Read
) -> None:
    queue.send(bob.address, alice.address)

    assert holders() == [alice.organisation_id]
    [message] = queue.inbox(alice)
    assert read(message) == RAW
    assert b"Bundle" not in bytes(message.content.header)


@pytest.mark.parametrize("raw", [RAW, LARGE])
def test_what_is_relayed_is_the_communitys_until_it_has_left(
    queue: Queue, hop: NextHop, firm_connection: Connection, bob: Person, raw: bytes
) -> None:
    queue.send(bob.address, JANE, raw=raw)
    assert holders() == [COMMUNITY]
    assert delivery_keys.release() == 0

    queue.run()

    [received] = hop.received
    assert received.data == raw
    assert delivery_keys.release() == 1
    assert holders() == []
    assert Content.objects.count() == 1


def test_a_list_shares_one_body_among_organisations(
    queue: Queue,
    northfield: Organisation,
    alice: Person,
    bob: Person,
    charlie: Person,
    read: Read,
) -> None:
    factories.make_list(LIST, northfield, alice.address, charlie.address)

    queue.send(bob.address, LIST, raw=LARGE)
    queue.run(until_nothing_is_due=True)

    [to_alice], [to_charlie] = queue.inbox(alice), queue.inbox(charlie)
    assert to_alice.content_id == to_charlie.content_id
    assert read(to_alice) == read(to_charlie)
    assert read(to_alice).endswith(LARGE.partition(b"\r\n\r\n")[2])
    assert Content.objects.values("blob_key").distinct().count() == 1
    delivery_keys.release()
    assert holders() == sorted([alice.organisation_id, charlie.organisation_id])


def test_a_failure_is_reported_with_the_header(
    queue: Queue, hop: NextHop, firm_connection: Connection, bob: Person, read: Read
) -> None:
    hop.rcpt_replies["jane@firm.example"] = ["550 5.1.1 No such person"]
    queue.send(bob.address, JANE)

    queue.run(until_nothing_is_due=True)

    [notice] = queue.inbox(bob)
    assert b"Subject: Bundle" in read(notice)


def test_mail_whose_key_a_kms_must_unwrap_waits_for_it(
    queue: Queue, kms: Path, alice: Person, bob: Person, charlie: Person, read: Read
) -> None:
    assert key_checks.trial() == ""
    organisation_keys.current(COMMUNITY)
    organisation_keys.current(alice.organisation_id)
    _hold(COMMUNITY, alice.organisation_id)
    (kms / "away").touch()

    reference = queue.send(bob.address, alice.address, charlie.address)

    # At hand for Northfield; its neighbour's waits, and is not refused.
    assert len(queue.inbox(alice)) == 1 and not queue.inbox(charlie)
    queue.run()
    waiting = Recipient.objects.get(
        message__reference=reference, status=RecipientStatus.QUEUED
    )
    assert (waiting.address, waiting.attempts) == (charlie.address, 1)
    (kms / "away").unlink()
    encryption.forget_failure()
    queue.make_all_due()
    queue.run()
    [message] = queue.inbox(charlie)
    assert read(message) == RAW


def test_without_the_communitys_key_what_cannot_be_delivered_is_deferred(
    queue: Queue, kms: Path, bob: Person, firm_connection: Connection
) -> None:
    (kms / "away").touch()

    with pytest.raises(MasterKeyUnavailableError):
        queue.send(bob.address, JANE)


def _hold(*organisation_ids: int) -> None:
    """Holds keys in memory, which otherwise begins with a commit that tests never make."""
    for organisation_id in organisation_ids:
        held = organisation_keys.current(organisation_id)
        row = organisation_keys.OrganisationKey.objects.get(pk=held.row_id)
        for memory, number in (
            (organisation_keys._by_row, row.pk),
            (organisation_keys._current, organisation_id),
        ):
            entry = organisation_keys._Entry(held, bytes(row.wrapped), float("inf"))
            memory.put(number, entry)
