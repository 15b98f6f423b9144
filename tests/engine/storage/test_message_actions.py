from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.registry.models import Mailbox
from engine.storage import content, message_actions
from engine.storage.models import Content, FolderRole
from engine.storage.search import find, query_parser
from engine.storage.standard_folders import folder
from tests.attachment_cases import CASES, WITH, letter

pytestmark = pytest.mark.django_db


def test_dropping_what_nobody_holds_asks_once_what_that_is() -> None:
    rows = [content.row(content.keep(b"Subject: x\r\n\r\n", b"x")) for _ in range(3)]
    for row in rows:
        row.save()

    with CaptureQueriesContext(connection) as captured:
        message_actions.delete_unreferenced([row.pk for row in rows])

    looks = [q for q in captured if "queue_queuedmessage" in q["sql"]]
    assert len([q for q in looks if "storage_message" in q["sql"]]) == 1
    assert not Content.objects.exists()


def test_kept_copies_are_marked_and_found_as_webmail_lists_their_attachments(
    mailbox: Mailbox,
) -> None:
    sent = folder(mailbox, FolderRole.SENT)

    rows = [message_actions.append(sent, letter(case)) for case in CASES]

    assert {row.subject: row.has_attachments for row in rows} == CASES
    found = find.find(query_parser.parse("has:attachment"), mailbox, limit=99).messages
    assert {row.subject for row in found} == set(WITH)
