"""How an upgrade migrates pending rows of the message store."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from django.db.models import Field

from engine.mail.message import split
from engine.registry.models import Person
from engine.storage import content, standard_folders
from engine.storage.models import (
    AutomaticMail,
    AutomaticMailKind,
    FirstUse,
    Message,
)
from tests.migrated import migrating

# Before the first use of a message was kept, and before the table of errands was renamed.
WITHOUT_USE = [("storage", "0016_decide_on_attachments")]
WITH_ERRANDS = [("storage", "0009_export_progress")]
RAW = b"From: a@b.example\r\nSubject: Bundle\r\n\r\nHello\r\n"


def migrate_to(state: list[tuple[str, str]] | None) -> MigrationExecutor:
    """Migrates to an earlier state, or for None to the present one."""
    executor = MigrationExecutor(connection)
    executor.migrate(state or executor.loader.graph.leaf_nodes())
    return executor


def mutate_unrendered(
    migration: Migration, state: ProjectState, preserve: bool = True
) -> ProjectState:
    """Does what Django does, but renders models only for migrations that are applied."""
    rendered = state.__dict__.pop("apps", None)
    new = state.clone() if preserve else state
    if preserve and rendered is not None:
        state.apps = rendered
    for operation in migration.operations:
        operation.state_forwards(migration.app_label, new)
    return new


# One test for both: the way back and forth takes ten seconds.
@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_waiting_automatic_mail_and_earlier_mail_survive_an_upgrade(
    bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What makes migrating slow: see tests/migrated.
    monkeypatch.setattr(Field, "clone", migrating.copied)
    monkeypatch.setattr(Migration, "mutate_state", mutate_unrendered)
    kept = content.row(content.keep(*split(RAW)))
    kept.save()
    facts = {
        "mailbox_id": bob.mailbox.pk,
        "folder_id": standard_folders.inbox(bob.mailbox).pk,
        "content_id": kept.pk,
        "size": kept.size,
    }
    message = Message.objects.create(**facts)
    AutomaticMail.objects.create(kind=AutomaticMailKind.ANSWER, message=message)
    try:
        earlier = migrate_to(WITHOUT_USE).loader.project_state(WITHOUT_USE)
        old = earlier.apps.get_model("storage", "Message").objects.create(**facts)
        migrate_to(WITH_ERRANDS)
        with connection.cursor() as cursor:
            cursor.execute("SELECT kind, message_id FROM storage_errand")
            waiting = cursor.fetchall()
    finally:
        migrate_to(None)

    [row] = AutomaticMail.objects.all()
    assert waiting == [("answer", message.pk)]
    assert (row.kind, row.message_id) == (AutomaticMailKind.ANSWER, message.pk)
    new = Message.objects.create(**facts)
    uses = dict(Message.objects.exclude(pk=message.pk).values_list("pk", "first_use"))
    assert uses == {old.pk: FirstUse.UNKNOWN, new.pk: ""}
