from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from engine.audit.models import Entry
from engine.blobs import keys, local_store, store
from engine.blobs.interface import Kind
from engine.database import clock
from engine.encryption import (
    destruction,
    organisation_keys,
    rotation,
    sealed_blobs,
)
from engine.encryption.errors import NoKeyError, TamperedError
from engine.encryption.models import COMMUNITY, FileKey, OrganisationKey
from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, OrganisationStatus, Person
from engine.storage import (
    addressees,
    content,
    content_keys,
    encrypting,
    mailbox_delivery,
    message_actions,
    standard_folders,
)
from engine.storage.content import INLINE_LIMIT
from engine.storage.content_keys import Held
from engine.storage.exports import mbox
from engine.storage.models import Content, ContentKey, Message
from engine.storage.search import index_choice, index_table, indexer
from engine.storage.search.find import find
from engine.storage.search.query_parser import QueryError, parse
from tests import encryption
from tests.encryption import MASTER_KEY, OTHER_KEY
from tests.engine.storage.conftest import SENDER, compose_message, deliver

pytestmark = pytest.mark.django_db

LARGE = (
    b"From: <jane@firm.example>\r\nSubject: Bundle\r\n\r\n"
    + b"Secret line\r\n" * 15_000
)


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django_settings.POSTERN, "var", tmp_path)


@pytest.fixture
def encrypted(settings: Settings) -> Iterator[None]:
    yield from encryption.switched_on(settings)


def deliver_to(raw: bytes, *mailboxes: Mailbox) -> list[Message]:
    kept = content.keep(*content_parts(raw))
    row = content.row(kept)
    row.save()
    summary = mailbox_delivery.summary_of(kept.header)
    ids = mailbox_delivery.deliver(
        [
            mailbox_delivery.Delivery(
                one.pk,
                row.pk,
                row.size,
                SENDER,
                summary,
                kept.header,
                kept.has_attachments,
                kept.key,
            )
            for one in mailboxes
        ]
    )
    return [Message.objects.get(pk=message_id) for message_id in ids]


def content_parts(raw: bytes) -> tuple[bytes, bytes]:
    header, _, body = raw.partition(b"\r\n\r\n")
    return header + b"\r\n\r\n", body


def stored_octets(row: Content) -> bytes:
    octets = bytes(row.header) + bytes(row.body or b"")
    if row.blob_key:
        with store.open_blob(Kind.BODY, row.blob_key) as blob:
            octets += blob.read()
    return octets


@pytest.mark.parametrize("raw", [compose_message(), LARGE])
def test_what_is_stored_is_encrypted_and_reads_as_before(
    encrypted: None, mailbox: Mailbox, raw: bytes
) -> None:
    message = deliver(mailbox, raw)

    row = message.content
    stored = stored_octets(row)
    header, body = content_parts(raw)
    assert row.format == Content.ENCRYPTED
    assert row.size == message.size == len(raw)
    assert b"Subject" not in stored and body[:40] not in stored
    assert content.read(message) == raw
    assert content.header(message) == header
    assert message.subject in ("Hearing on Monday", "Bundle")
    if row.blob_key:
        with store.open_blob(Kind.BODY, row.blob_key) as blob:
            assert keys.digest_in(row.blob_key) == keys.digest_of(blob)


def test_old_rows_stay_readable_and_the_switch_decides_for_new_ones(
    mailbox: Mailbox, settings: Settings
) -> None:
    old = deliver(mailbox)
    switch = encryption.switched_on(settings)
    next(switch)
    new = deliver(mailbox)
    settings.POSTERN = settings.POSTERN.model_copy(update={"encryption": False})
    newest = deliver(mailbox)

    formats = [one.content.format for one in (old, new, newest)]
    assert formats == [Content.PLAIN, Content.ENCRYPTED, Content.PLAIN]
    whole = [content.read(one).partition(b"\r\n\r\n")[2] for one in (old, new, newest)]
    assert len(set(whole)) == 1
    next(switch, None)


def test_one_copy_has_a_key_for_each_organisation(
    encrypted: None, bob: Person, charlie: Person, alice: Person
) -> None:
    bobs, alices, charlies = deliver_to(
        LARGE, bob.mailbox, alice.mailbox, charlie.mailbox
    )

    assert Content.objects.count() == 1
    holders = ContentKey.objects.values_list("organisation_id", flat=True)
    assert sorted(holders) == sorted({bob.organisation_id, charlie.organisation_id})
    assert {content.read(one) for one in (bobs, alices, charlies)} == {LARGE}


def test_a_neighbour_cannot_open_it(
    encrypted: None, bob: Person, charlie: Person
) -> None:
    [message] = deliver_to(compose_message(), bob.mailbox)
    organisation_keys.current(charlie.organisation_id)
    message.mailbox = charlie.mailbox

    with pytest.raises(NoKeyError):
        content.read(message)
    # Even with the row of the key's holder changed to theirs.
    ContentKey.objects.update(organisation_id=charlie.organisation_id)
    fresh = Message.objects.get()
    fresh.mailbox = charlie.mailbox
    with pytest.raises(TamperedError):
        content.read(fresh)


def test_swapped_keys_contents_and_blobs_are_detected(
    encrypted: None, mailbox: Mailbox
) -> None:
    first, second = deliver(mailbox, LARGE), deliver(mailbox, LARGE + b"more\r\n")
    Content.objects.filter(pk=first.content_id).update(blob_key=second.content.blob_key)

    changed = Message.objects.get(pk=first.pk)

    with pytest.raises(TamperedError):
        content.read(changed)
    assert content.header(changed)


def test_a_cut_blob_is_detected(encrypted: None, mailbox: Mailbox) -> None:
    message = deliver(mailbox, LARGE)
    path = local_store.path_of(Kind.BODY, message.content.blob_key)
    path.write_bytes(path.read_bytes()[: 8 + 65_536 + 16])

    with pytest.raises(TamperedError):
        content.read(message)
    # An export says so and goes on.
    assert b"Subject: Bundle" in next(mbox.messages_of(message.folder))[1]


def test_a_body_is_shared_under_another_header(
    encrypted: None, mailbox: Mailbox
) -> None:
    message = deliver(mailbox, LARGE)

    kept = content.with_header(message, b"Subject: Listed\r\n\r\n")
    copy = content.save(kept, holder=COMMUNITY)

    assert kept.size == len(b"Subject: Listed\r\n\r\n") + 13 * 15_000
    assert copy.blob_key == message.content.blob_key
    assert (
        content.read(Held(copy, COMMUNITY))
        == b"Subject: Listed\r\n\r\n" + LARGE.partition(b"\r\n\r\n")[2]
    )


def test_lists_rules_search_exports_and_drafts_read_it(
    encrypted: None, mailbox: Mailbox
) -> None:
    message = deliver(mailbox)

    [shown] = addressees.of_messages([message]).values()
    assert str(shown.first[0].address) == "bob@northfield.secure.example"
    indexer.catch_up(mailbox)
    assert [one.pk for one in find(parse("bundle"), mailbox).messages] == [message.pk]
    [(_, text)] = mbox.messages_of(message.folder)
    assert b"Please see the bundle." in text
    sent = message_actions.append(
        standard_folders.inbox(mailbox), compose_message(subject="A copy")
    )
    assert b"A copy" in content.read(sent)


def test_keys_of_many_are_read_together(encrypted: None, mailbox: Mailbox) -> None:
    for _ in range(5):
        deliver(mailbox)
    rows = list(Message.objects.select_related("content", "mailbox"))

    with CaptureQueriesContext(connection) as queries:
        content_keys.load(rows)
        assert len({content.read(one) for one in rows}) == 5

    assert len(queries) == 2  # and the organisation's key, which no memory has yet


def test_erasing_deletes_the_keys(encrypted: None, mailbox: Mailbox) -> None:
    message = deliver(mailbox)

    message_actions.erase([message.pk])

    assert not Content.objects.exists() and not ContentKey.objects.exists()


def test_an_organisation_that_left_is_shredded_and_others_read_on(
    encrypted: None, bob: Person, charlie: Person
) -> None:
    bobs, charlies = deliver_to(LARGE, bob.mailbox, charlie.mailbox)
    organisation = bob.organisation
    with pytest.raises(PolicyError, match="not closed"):
        destruction.destroy(organisation, reason="left", by=None)
    organisation.status = OrganisationStatus.CLOSED

    destruction.destroy(organisation, reason="left", by=None)

    assert content.read(Message.objects.get(pk=charlies.pk)) == LARGE
    with pytest.raises(NoKeyError, match="destroyed"):
        content.read(Message.objects.get(pk=bobs.pk))
    entry = Entry.objects.get(event="encryption.key_destroyed")
    assert entry.detail == {"versions": 1, "reason": "left"}
    key = OrganisationKey.objects.get(organisation_id=organisation.pk)
    assert bytes(key.wrapped) == b"" and key.destroyed_at
    # Lists still show the line, without what is in the message.
    assert addressees.of_messages([bobs])[bobs.pk].text == "(cannot be read)"


def test_the_master_key_is_changed_by_rewrapping(
    encrypted: None, mailbox: Mailbox, settings: Settings
) -> None:
    message = deliver(mailbox)
    stored = stored_octets(message.content)
    settings.POSTERN = settings.POSTERN.model_copy(
        update={"master_key": OTHER_KEY, "master_key_fallbacks": [MASTER_KEY]}
    )
    call_command("rotate_keys", "--master")
    settings.POSTERN = settings.POSTERN.model_copy(update={"master_key_fallbacks": []})
    organisation_keys.forget_all()

    found = Message.objects.get()
    assert b"bundle" in content.read(found)
    assert stored_octets(found.content) == stored
    assert rotation.rewrap_by_master() == 0


def test_an_organisations_key_is_changed_in_batches_that_resume(
    encrypted: None, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    for _ in range(5):
        deliver(mailbox)
    whole = [content.read(one) for one in Message.objects.order_by("pk")]
    holder = mailbox.organisation_id
    rotation.renew(holder, by=None)

    batches = rotation.rewrap(holder)
    assert next(batches) == 2
    batches.close()  # killed here
    assert [content.read(one) for one in Message.objects.order_by("pk")] == whole
    assert list(rotation.rewrap(holder)) == [2, 1]
    # The version before stays until no process can be using it.
    versions = OrganisationKey.objects.filter(organisation_id=holder)
    assert versions.count() == 2
    versions.update(created_at=clock.now() - rotation.SETTLED * 2)
    assert rotation.rewrap_all() == 0

    assert versions.get().version == 2
    organisation_keys.forget_all()
    assert [content.read(one) for one in Message.objects.order_by("pk")] == whole


def test_what_was_stored_before_is_encrypted_for_each_holder(
    bob: Person, charlie: Person, settings: Settings
) -> None:
    small = deliver_to(compose_message(), bob.mailbox, charlie.mailbox)
    large = deliver_to(LARGE, bob.mailbox)
    shared = content.save(
        content.with_header(large[0], b"Subject: Shared\r\n\r\n"), holder=COMMUNITY
    )
    other = Message.objects.create(
        mailbox=charlie.mailbox,
        folder=standard_folders.inbox(charlie.mailbox),
        content=shared,
        size=shared.size,
    )
    everything = [*small, *large, other]
    whole = [content.read(one) for one in everything]
    old = large[0].content.blob_key
    Content.objects.update(created_at=clock.now() - encrypting.SETTLED * 2)
    switch = encryption.switched_on(settings)
    next(switch)

    call_command("encrypt_mail")

    rows = Content.objects.all()
    assert {one.format for one in rows} == {Content.ENCRYPTED}
    assert len({one.blob_key for one in rows if one.blob_key}) == 1
    assert old not in {one.blob_key for one in rows}
    found = [Message.objects.get(pk=one.pk) for one in everything]
    assert [content.read(one) for one in found] == whole
    assert encrypting.waiting() == 0
    next(switch, None)


def test_an_organisation_may_have_no_index(
    mailbox: Mailbox, alice: Person, charlie: Person
) -> None:
    deliver(mailbox)
    deliver(charlie.mailbox)
    indexer.index_waiting()

    index_choice.choose(mailbox.organisation, indexes_mail=False, by=alice)
    assert index_choice.apply_slice(mailbox.organisation_id, 0) is None
    deliver(mailbox)
    indexer.index_waiting()

    mailbox = Mailbox.objects.get(pk=mailbox.pk)
    with pytest.raises(QueryError, match="keeps no search index"):
        find(parse("bundle"), mailbox)
    assert len(find(parse("is:unread"), mailbox).messages) == 2
    assert len(find(parse("bundle"), charlie.mailbox).messages) == 1
    assert words_of(mailbox) == 0 and words_of(charlie.mailbox) == 1
    assert not Message.objects.filter(is_indexed=False).exists()

    index_choice.choose(mailbox.organisation, indexes_mail=True, by=alice)
    assert index_choice.apply_slice(mailbox.organisation_id, 0) is None
    indexer.index_waiting()
    found = find(parse("bundle"), Mailbox.objects.get(pk=mailbox.pk))
    assert len(found.messages) == 2


def words_of(mailbox: Mailbox) -> int:
    """Returns how many documents the index has of a mailbox."""
    ids = list(Message.objects.filter(mailbox=mailbox).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {index_table.TABLE} WHERE {index_table.key_column()} "
            f"IN ({', '.join(map(str, ids))})"
        )
        return int(cursor.fetchone()[0])


def test_the_inline_limit_is_of_the_readable_body(
    encrypted: None, mailbox: Mailbox
) -> None:
    header = b"Subject: x\r\n\r\n"
    at_limit = deliver(mailbox, header + b"x" * (INLINE_LIMIT - 2) + b"\r\n")

    assert at_limit.content.blob_key == ""
    assert content.read(at_limit).endswith(b"x\r\n")


@pytest.mark.parametrize("kind", [Kind.QUARANTINE, Kind.LETTER, Kind.EXPORT])
def test_other_blobs_are_their_organisations(
    encrypted: None, bob: Person, kind: Kind, settings: Settings
) -> None:
    data = b"%PDF- with a secret" * 10_000
    key = sealed_blobs.keep(kind, data, organisation_id=bob.organisation_id)
    settings.POSTERN = settings.POSTERN.model_copy(update={"encryption": False})
    plain = sealed_blobs.keep(kind, data, organisation_id=bob.organisation_id)

    assert b"secret" not in store.read(kind, key)
    assert store.read(kind, plain) == data
    assert sealed_blobs.read(kind, key) == sealed_blobs.read(kind, plain) == data
    rotation.renew(bob.organisation_id, by=None)
    assert sum(rotation.rewrap(bob.organisation_id)) == 1
    assert sealed_blobs.read(kind, key) == data
    bob.organisation.status = OrganisationStatus.CLOSED
    destruction.destroy(bob.organisation, reason="left", by=None)
    with pytest.raises(NoKeyError):
        sealed_blobs.read(kind, key)
    sealed_blobs.forget(kind, key)
    assert not FileKey.objects.exists()
