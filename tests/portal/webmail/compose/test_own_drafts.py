"""Drafts that a window goes on with by itself, because another one has the first."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from engine.blobs import store
from engine.registry.models import Person
from engine.storage import content
from engine.storage.models import FolderRole
from portal.webmail.drafts import draft_store
from portal.webmail.drafts.draft import Draft
from portal.webmail.drafts.draft_store import DraftConflictError, SentAlreadyError
from portal.webmail.models import DraftFile, WritingPreferences
from tests.portal.webmail.compose_page import (
    CHARLIE,
    ComposePage,
    messages_in,
    only_message_in,
)

pytestmark = pytest.mark.usefixtures("charlie")

WINDOW = "a" * 32


@pytest.fixture
def compose_page(bob: Person) -> ComposePage:
    WritingPreferences.objects.create(person=bob, undo_seconds=0, asks_about_new=False)
    return ComposePage(bob.mailbox)


def attach(client: Client, page: ComposePage, name: str, kind: str = "files") -> None:
    """Adds a file, or a picture, that is too large for a row of the database."""
    start = b"" if kind == "files" else b"\x89PNG\r\n\x1a\n"
    file = SimpleUploadedFile(name, start + name.encode() * 9000)
    answer = client.post(f"{page.url}{kind}/", {"attachments": file})
    assert answer.status_code == 200


def save(client: Client, page: ComposePage, turn: int, **fields: object) -> dict:
    """Saves in the background, without having seen what any other window saved."""
    typed = {"text": f"late {turn}", "version": "", "window": WINDOW, "turn": turn}
    return client.post(f"{page.url}save/", typed | fields).json()


def test_a_file_added_before_the_answer_of_a_fork_comes_over_once(
    as_bob: Client, compose_page: ComposePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose_page.post(as_bob, "save", text="first", version="")
    urls = []
    for turn, name in enumerate(("Bundle.txt", "Annex.txt"), 1):
        attach(as_bob, compose_page, name)
        # The octets are not copied while the drafts of the mailbox are locked.
        with monkeypatch.context() as patch:
            patch.setattr(store, "spool_folder", None)
            urls.append(save(as_bob, compose_page, turn)["forked"]["url"])

    page = as_bob.get(urls[0]).content.decode()
    assert urls[0] == urls[1]
    assert page.count("<span>Bundle.txt") == page.count("<span>Annex.txt") == 1
    copies = DraftFile.objects.filter(name="Annex.txt").select_related("content")
    assert [content.read(one) for one in copies] == [b"Annex.txt" * 9000] * 2


def test_the_pictures_of_formatted_text_are_not_listed_as_attachments(
    as_bob: Client, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "save", html="<div>Mine</div>", text="Mine", version="")
    attach(as_bob, compose_page, "Bundle.txt")
    attach(as_bob, compose_page, "Seal.png", "pictures")

    rich = save(as_bob, compose_page, 1, html="<div>Mine too</div>")["forked"]["files"]
    plain = save(as_bob, compose_page, 1, window="b" * 32)["forked"]["files"]

    assert "Bundle.txt" in rich and "Seal.png" not in rich
    assert "Bundle.txt" in plain and "Seal.png" in plain


def test_a_late_save_makes_no_draft_of_a_message_that_was_sent(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    """It asked whether the message was sent before that was sent, and waited since."""
    draft = Draft(UUID(compose_page.url.split("/")[-2]), text="late", window=WINDOW)
    compose_page.post(as_bob, "send", to=CHARLIE, text="sent")
    only_message_in(bob.mailbox, FolderRole.SENT)
    of_bob = {"mailbox": bob.mailbox, "sender": bob.mailbox}

    with pytest.raises(DraftConflictError):
        draft_store.save_over(draft, version=None, **of_bob)
    with pytest.raises(SentAlreadyError):
        draft_store.fork(draft, **of_bob)

    assert not messages_in(bob.mailbox, FolderRole.DRAFTS)
    assert "sent already" in save(as_bob, compose_page, 1)["problem"]


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_late_save_revives_no_draft_that_the_same_window_deleted(
    as_bob: Client, bob: Person, compose_page: ComposePage, is_saved: bool
) -> None:
    own = {"text": "Mine", "version": "", "window": WINDOW}
    version = save(as_bob, compose_page, 1)["version"] if is_saved else ""
    compose_page.post(as_bob, "discard", **own | {"turn": 3})

    late = save(as_bob, compose_page, 2, version=version)

    assert "deleted" in late["problem"]
    assert not messages_in(bob.mailbox, FolderRole.DRAFTS)
    only_message_in(bob.mailbox, FolderRole.TRASH)
    # The page was fetched back, and written on.
    assert "version" in save(as_bob, compose_page, 4, version=version)
    only_message_in(bob.mailbox, FolderRole.DRAFTS)
