"""How an upgrade migrates pending rows of the message store."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from engine.mail.message import split
from engine.registry.models import Person
from engine.storage import content, standard_folders
from engine.storage.models import (
    AutomaticMail,
    AutomaticMailKind,
    FirstUse,
    Message,
)

BEFORE = [("storage", "0009_export_progress")]
RAW = b"From: a@b.example\r\nSubject: Bundle\r\n\r\nHello\r\n"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_automatic_mail_that_waits_survives_the_renaming_of_its_table(
    bob: Person,
) -> None:
    kept = content.row(content.keep(*split(RAW)))
    kept.save()
    message = Message.objects.create(
        mailbox=bob.mailbox,
        folder=standard_folders.inbox(bob.mailbox),
        content=kept,
        size=kept.size,
    )
    AutomaticMail.objects.create(kind=AutomaticMailKind.ANSWER, message=message)
    try:
        MigrationExecutor(connection).migrate(BEFORE)
        with connection.cursor() as cursor:
            cursor.execute("SELECT kind, message_id FROM storage_errand")
            waiting = cursor.fetchall()
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())

    [row] = AutomaticMail.objects.all()
    assert waiting == [("answer", message.pk)]
    assert (row.kind, row.message) == (AutomaticMailKind.ANSWER, message)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_use_of_what_was_delivered_before_is_not_known(bob: Person) -> None:
    kept = content.row(content.keep(*split(RAW)))
    kept.save()
    facts = {
        "mailbox_id": bob.mailbox.pk,
        "folder_id": standard_folders.inbox(bob.mailbox).pk,
        "content_id": kept.pk,
        "size": kept.size,
    }
    executor = MigrationExecutor(connection)
    try:
        executor.migrate([("storage", "0016_decide_on_attachments")])
        earlier = executor.loader.project_state(
            [("storage", "0016_decide_on_attachments")]
        )
        old = earlier.apps.get_model("storage", "Message").objects.create(**facts)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())

    new = Message.objects.create(**facts)
    uses = dict(Message.objects.values_list("pk", "first_use"))
    assert uses == {old.pk: FirstUse.UNKNOWN, new.pk: ""}
