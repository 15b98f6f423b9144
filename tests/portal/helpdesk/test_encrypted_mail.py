"""The helpdesk reads mail that is stored encrypted as it reads other mail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from engine.mail.composer import Attachment
from engine.registry.models import Mailbox, Person
from engine.storage.models import Content
from portal.helpdesk import attachments
from portal.helpdesk.intake import tasks
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import EntryKind
from tests import encryption
from tests.portal.helpdesk.conftest import deliver_mail


@pytest.fixture(autouse=True)
def encrypted(settings: Settings) -> Iterator[None]:
    yield from encryption.switched_on(settings)


def test_a_message_opens_a_ticket_and_its_file_is_kept(
    helpdesk: Mailbox, bob: Person
) -> None:
    pdf = Attachment("Screen.pdf", "application/pdf", b"%PDF-1.7")
    deliver_mail(helpdesk, bob.address, attachments=[pdf])

    assert tasks.collect_mail() == 1

    entry = Ticket.objects.get().entries.get(kind=EntryKind.REQUEST)
    kept = entry.attachments.get()
    assert entry.text == "My code is refused."
    assert (kept.name, attachments.read(kept)) == ("Screen.pdf", b"%PDF-1.7")
    assert {one.format for one in Content.objects.all()} == {Content.ENCRYPTED}
