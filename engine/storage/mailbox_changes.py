"""Numbers the changes of each mailbox, so that open pages notice what other sessions did.

The number is on the mailbox's row, and grows in the transaction that changes something a
page of the mailbox shows: messages that come and go, flags, folders, delivery outcomes.
It says only that something changed; readers load what they show again. The numbers of
many mailboxes are read with one query by primary key (`portal.webmail.live`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from django.db import connection, transaction

from engine.database import bulk_rows, statements
from engine.registry.models import Mailbox
from engine.storage.models import Message

NUMBERS = f"""
    SELECT id, change_number FROM {Mailbox._meta.db_table} WHERE id {{among_ids}}
"""  # noqa: S608


def note(mailbox_ids: Iterable[int]) -> None:
    """Notes that something in these mailboxes changed, in the caller's transaction.

    Call it after the change: it locks the mailboxes' rows, as a delivery does last.
    `storage.quota` notes what comes and goes itself.
    """
    changes = dict.fromkeys(mailbox_ids, 1)
    if changes:
        with transaction.atomic(savepoint=False):
            bulk_rows.increment(Mailbox, "change_number", changes)


def note_senders(references: Collection[str]) -> None:
    """Notes new delivery outcomes in the mailboxes that sent the messages.

    After the caller's transaction: a runner that records outcomes must not hold the rows
    of mailboxes that deliveries wait for.
    """
    if references:
        transaction.on_commit(partial(_note_senders, set(references)), robust=True)


def _note_senders(references: Collection[str]) -> None:
    # The conditions of the partial index: a copy in Sent, which relayed mail has none of.
    rows = Message.objects.filter(
        reference__in=references, envelope_sender="", reference__gt=""
    )
    note(set(rows.order_by().values_list("mailbox_id", flat=True)))


def numbers(mailbox_ids: Collection[int]) -> dict[int, int]:
    """Returns the current numbers of mailboxes; leaves out those that do not exist.

    Another number means a change, a smaller one too: a restored backup takes it back.
    """
    sql = NUMBERS.format(among_ids=bulk_rows.AMONG[connection.vendor])
    return dict(statements.fetch(sql, [bulk_rows.members(mailbox_ids)]))
