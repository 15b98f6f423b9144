from __future__ import annotations

import pytest
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox
from engine.storage import folder_actions, folder_list
from engine.storage.models import Folder, FolderRole, Message, Rule
from engine.storage.standard_folders import folder
from tests.engine.storage.conftest import deliver


def test_a_folder_stands_alone_or_under_another(mailbox: Mailbox) -> None:
    cases = folder_actions.create(mailbox, name="  Cases ")
    inner = folder_actions.create(mailbox, name="Cases / R v K")

    assert (cases.name, inner.name) == ("Cases", "Cases/R v K")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter a name"),
        ("a\x07b", "Enter a name"),
        ("Cases/", "Enter a name"),
        ("INBOX", "A folder called INBOX already exists"),
        ("Inbox/a/b", "not deeper"),
        ("Cases/a", "Make the folder Cases first"),
        ("x" * 61, "at most 60 characters"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    mailbox: Mailbox, name: str, sentence: str
) -> None:
    folder(mailbox, FolderRole.INBOX)

    with pytest.raises(PolicyError, match=sentence):
        folder_actions.create(mailbox, name=name)


def test_folders_under_it_are_renamed_too(mailbox: Mailbox) -> None:
    cases = folder_actions.create(mailbox, name="Cases")
    inner = folder_actions.create(mailbox, name="Cases/R v K")

    folder_actions.rename(cases, name="Closed")

    inner.refresh_from_db()
    assert inner.name == "Closed/R v K"


def test_a_folder_goes_and_what_was_in_it_is_in_deleted(mailbox: Mailbox) -> None:
    cases = folder_actions.create(mailbox, name="Cases")
    message = deliver(mailbox)
    folder_actions.move_all(folder(mailbox, FolderRole.INBOX), cases)
    Rule.objects.create(mailbox=mailbox, position=1, name="To Cases", folder=cases)

    folder_actions.remove(cases)

    message.refresh_from_db()
    assert message.folder.role == FolderRole.TRASH
    assert message.expires_at is not None
    assert not Folder.objects.filter(pk=cases.pk).exists()
    assert not Rule.objects.exists()


def test_the_folders_of_every_mailbox_stay(mailbox: Mailbox) -> None:
    inbox = folder(mailbox, FolderRole.INBOX)

    with pytest.raises(PolicyError, match="is a standard folder"):
        folder_actions.remove(inbox)
    with pytest.raises(PolicyError, match="is a standard folder"):
        folder_actions.rename(inbox, name="In")


def test_everything_in_a_folder_is_moved_read_and_erased(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_actions, "CHUNK", 2)
    inbox, junk = folder(mailbox, FolderRole.INBOX), folder(mailbox, FolderRole.JUNK)
    for _ in range(5):
        deliver(mailbox)

    assert folder_actions.mark_all_read(inbox) == 5
    assert folder_actions.move_all(inbox, junk) == 5
    assert folder_actions.empty(junk) == 5
    assert not Message.objects.exists()
    mailbox.refresh_from_db()
    assert mailbox.used_bytes == 0


def test_only_waste_is_emptied(mailbox: Mailbox) -> None:
    with pytest.raises(PolicyError, match="Only Deleted and Junk"):
        folder_actions.empty(folder(mailbox, FolderRole.INBOX))


def test_what_waits_is_counted_by_folder_and_not_beyond_the_limit(
    mailbox: Mailbox,
) -> None:
    inbox, drafts = (folder(mailbox, r) for r in (FolderRole.INBOX, FolderRole.DRAFTS))
    for _ in range(4):
        deliver(mailbox)
    read = Message.objects.filter(folder=inbox).first()
    Message.objects.filter(pk=read.pk).update(is_read=True, folder=drafts)

    assert waiting(mailbox, limit=10)[inbox.pk] == 3
    assert waiting(mailbox, limit=1)[inbox.pk] == 2
    assert waiting(mailbox, limit=10)[drafts.pk] == 1


def waiting(mailbox: Mailbox, *, limit: int) -> dict[int, int]:
    listed = folder_list.of_mailbox(
        mailbox.pk, limit=limit, withdrawn_since=timezone.now()
    )
    return {one.folder.pk: one.waiting for one in listed}
