"""Actions on selected search results."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from engine.registry.models import Mailbox, Person
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.conftest import compose_message, store_message


def act(client: Client, mailbox: Mailbox, do: str, *chosen: Message, **more: object):
    typed = {"do": do, "q": "hearing", "message": [one.pk for one in chosen], **more}
    place = reverse("webmail:search_act", args=[mailbox.pk])
    return client.post(place, typed, follow=True)


def folder_of(message: Message) -> str:
    message.refresh_from_db()
    return str(message.folder.role)


def test_what_is_found_in_several_folders_is_moved_and_put_back(
    as_bob: Client, bob: Person
) -> None:
    first, second = store_message(bob.mailbox), store_message(bob.mailbox)
    message_actions.move([second], folder(bob.mailbox, FolderRole.ARCHIVE))

    moved = act(as_bob, bob.mailbox, "delete", first, second)
    went = {folder_of(first), folder_of(second)}
    undo = reverse("webmail:search_undo", args=[bob.mailbox.pk])
    back = as_bob.post(undo, {"q": "hearing"}, follow=True)

    assert went == {FolderRole.TRASH}
    assert "2 messages moved to" in moved.content.decode()
    assert undo in moved.content.decode()
    assert (folder_of(first), folder_of(second)) == (
        FolderRole.INBOX,
        FolderRole.ARCHIVE,
    )
    assert back.request["QUERY_STRING"] == "q=hearing"


@pytest.mark.parametrize(("do", "name"), [("read", "is_read"), ("flag", "is_flagged")])
def test_what_is_found_is_marked(
    as_bob: Client, bob: Person, do: str, name: str
) -> None:
    message = store_message(bob.mailbox)

    act(as_bob, bob.mailbox, do, message)

    message.refresh_from_db()
    assert getattr(message, name)


def test_what_is_found_is_moved_to_a_folder_of_the_same_mailbox_only(
    as_bob: Client, bob: Person, team: Mailbox
) -> None:
    message = store_message(bob.mailbox)
    archive, theirs = (folder(one, FolderRole.ARCHIVE) for one in (bob.mailbox, team))

    refused = act(as_bob, bob.mailbox, "move", message, target=theirs.pk)
    stayed = folder_of(message)
    act(as_bob, bob.mailbox, "move", message, target=archive.pk)

    assert (refused.status_code, stayed) == (404, FolderRole.INBOX)
    assert folder_of(message) == FolderRole.ARCHIVE


def test_a_draft_that_is_found_goes_nowhere_but_to_deleted(
    as_bob: Client, bob: Person
) -> None:
    drafts = folder(bob.mailbox, FolderRole.DRAFTS)
    draft = message_actions.append(drafts, compose_message(), is_draft=True)

    page = act(as_bob, bob.mailbox, "archive", draft).content.decode()
    stayed = folder_of(draft)
    act(as_bob, bob.mailbox, "delete", draft)

    assert "a draft can only be moved to Deleted" in page
    assert (stayed, folder_of(draft)) == (FolderRole.DRAFTS, FolderRole.TRASH)


def test_what_is_deleted_already_is_not_deleted_for_good_from_here(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)
    message_actions.move([message], folder(bob.mailbox, FolderRole.TRASH))

    page = act(as_bob, bob.mailbox, "delete", message).content.decode()

    assert "already" in page and folder_of(message) == FolderRole.TRASH
    assert act(as_bob, bob.mailbox, "erase", message).status_code == 404


def test_nobody_else_acts_on_what_is_found(
    signed_in: SignIn, bob: Person, alice: Person, team: Mailbox
) -> None:
    mine, shared = store_message(bob.mailbox), store_message(team)
    factories.make_grant(team, alice, can_read=True)
    client = signed_in(alice, second_factor=True)

    assert act(client, bob.mailbox, "delete", mine).status_code == 404
    assert act(client, team, "delete", shared).status_code == 403
    act(client, alice.mailbox, "delete", mine, shared)

    assert (folder_of(mine), folder_of(shared)) == (FolderRole.INBOX, FolderRole.INBOX)


def test_undoing_a_move_leads_back_to_the_page(as_bob: Client, bob: Person) -> None:
    inbox = folder(bob.mailbox, FolderRole.INBOX)
    newer, message = store_message(bob.mailbox), store_message(bob.mailbox)
    place = {"past": newer.pk, "page": 2, "order": "oldest"}
    act_at, undo_at = (
        reverse(f"webmail:{name}", args=[inbox.pk]) for name in ("act", "undo_move")
    )
    page = as_bob.post(
        act_at, {"do": "archive", "message": message.pk, **place}, follow=True
    ).content.decode()

    back = as_bob.post(undo_at, place)

    offer = page.partition(undo_at)[2].partition("</form>")[0]
    assert f'name="past" value="{newer.pk}"' in offer
    assert back["Location"].endswith(f"order=oldest&past={newer.pk}&page=2")
    assert folder_of(message) == FolderRole.INBOX
