from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from engine.registry.models import Mailbox, Organisation, Person
from engine.storage.delivery import folder
from engine.storage.models import FolderRole, Message
from portal.webmail import listing
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.conftest import PDF, put

# Session, person and organisation (3), whether a second factor is needed (2), mailboxes,
# folder, counts and messages (4), and the doors in the navigation (1).
QUERIES = 10


def inbox_page(client: Client, mailbox: Mailbox, query: str = "") -> str:
    opened = folder(mailbox, FolderRole.INBOX)
    return client.get(
        reverse("webmail:folder", args=[opened.pk]) + query
    ).content.decode()


def act(client: Client, message: Message, **data: object) -> str:
    answer = client.post(
        reverse("webmail:act", args=[message.folder_id]),
        {"message": message.pk} | data,
        follow=True,
    )
    return answer.content.decode()


def test_mail_opens_at_the_inbox(as_bob: Client, bob: Person) -> None:
    answer = as_bob.get(reverse("webmail:folder"), follow=True)

    assert answer.status_code == 200
    assert "No messages yet" in answer.content.decode()
    assert bob.address in answer.content.decode()


def test_mail_tells_those_without_a_mailbox_what_to_do(
    signed_in: SignIn, firm: Organisation
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)

    page = signed_in(jane).get(reverse("webmail:folder")).content.decode()

    assert "You have no mailbox here" in page


def test_a_row_says_who_what_when_and_how_large(as_bob: Client, bob: Person) -> None:
    put(bob.mailbox, attachments=[PDF])

    page = inbox_page(as_bob, bob.mailbox)

    assert "Jane Jones" in page
    assert "Hearing on Monday" in page
    assert "Unread: " in page
    assert "With attachments" in page
    assert "<time datetime=" in page
    assert "bytes" in page
    assert "(1 unread)" in page


def test_a_row_cannot_carry_markup(as_bob: Client, bob: Person) -> None:
    put(bob.mailbox, subject="<script>alert(1)</script>")

    page = inbox_page(as_bob, bob.mailbox)

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_sent_names_the_recipients(as_bob: Client, bob: Person) -> None:
    message = put(bob.mailbox, role=FolderRole.SENT)

    page = as_bob.get(reverse("webmail:folder", args=[message.folder_id]))

    assert "To </span>Alice" in page.content.decode()


def test_a_page_costs_the_same_however_many_messages(
    as_bob: Client, bob: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    put(bob.mailbox)
    inbox_page(as_bob, bob.mailbox)
    opened = folder(bob.mailbox, FolderRole.INBOX)
    for _ in range(5):
        put(bob.mailbox)

    with django_assert_num_queries(QUERIES):
        as_bob.get(reverse("webmail:folder", args=[opened.pk]))


def test_pages_lead_to_one_another(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    ids = [put(bob.mailbox, subject=f"Number {n}").pk for n in range(5)]

    first = inbox_page(as_bob, bob.mailbox)
    second = inbox_page(as_bob, bob.mailbox, f"?before={ids[3]}")
    third = inbox_page(as_bob, bob.mailbox, f"?before={ids[1]}")
    back = inbox_page(as_bob, bob.mailbox, f"?after={ids[0]}")
    to_start = inbox_page(as_bob, bob.mailbox, f"?after={ids[2]}")

    assert "1 to 2 of 5" in first and "Newer" not in first and "Older" in first
    assert "3 to 4 of 5" in second and "Newer" in second and "Older" in second
    assert "5 to 5 of 5" in third and "Older" not in third
    assert "3 to 4 of 5" in back
    assert "1 to 2 of 5" in to_start and "Number 4" in to_start


@pytest.mark.parametrize("query", ["?before=x", "?after=-1", "?before=" + "9" * 30])
def test_a_strange_page_is_the_first(as_bob: Client, bob: Person, query: str) -> None:
    put(bob.mailbox)

    assert "1 to 1 of 1" in inbox_page(as_bob, bob.mailbox, query)


def test_messages_are_marked_read_and_unread(as_bob: Client, bob: Person) -> None:
    message = put(bob.mailbox)

    assert "1 message marked as read" in act(as_bob, message, do="read")
    message.refresh_from_db()
    assert message.is_read
    assert "1 message marked as unread" in act(as_bob, message, do="unread")
    message.refresh_from_db()
    assert not message.is_read


def test_messages_move_to_another_folder(as_bob: Client, bob: Person) -> None:
    message = put(bob.mailbox)
    archive = folder(bob.mailbox, FolderRole.ARCHIVE)

    page = act(as_bob, message, do="move", target=archive.pk)

    message.refresh_from_db()
    assert "1 message moved to Archive" in page
    assert message.folder == archive


def test_deleting_moves_to_deleted_and_then_asks_before_it_is_for_good(
    as_bob: Client, bob: Person
) -> None:
    message = put(bob.mailbox)

    assert "1 message moved to Deleted" in act(as_bob, message, do="delete")
    message.refresh_from_db()
    assert message.folder.role == FolderRole.TRASH

    assert "for good?" in act(as_bob, message, do="delete")
    assert Message.objects.filter(pk=message.pk).exists()

    assert "1 message deleted for good" in act(as_bob, message, do="erase")
    assert not Message.objects.filter(pk=message.pk).exists()


def test_only_what_is_in_deleted_is_erased(as_bob: Client, bob: Person) -> None:
    message = put(bob.mailbox)

    act(as_bob, message, do="erase")

    assert Message.objects.filter(pk=message.pk).exists()


def test_choosing_nothing_is_said(as_bob: Client, bob: Person) -> None:
    message = put(bob.mailbox)

    answer = as_bob.post(
        reverse("webmail:act", args=[message.folder_id]), {"do": "read"}, follow=True
    )

    assert "Choose at least one message first" in answer.content.decode()


@pytest.mark.parametrize("role", [*FolderRole])
def test_an_empty_folder_says_what_it_is_for(
    as_bob: Client, bob: Person, role: FolderRole
) -> None:
    if role == FolderRole.CUSTOM:
        opened = bob.mailbox.folders.create(role=role, name="Cases")
    else:
        opened = folder(bob.mailbox, role)

    page = as_bob.get(reverse("webmail:folder", args=[opened.pk])).content.decode()

    assert "app-mail__empty" in page


def test_group_mailboxes_stand_beside_the_own_one(
    as_bob: Client, bob: Person, team: Mailbox
) -> None:
    assert "Listing office" not in inbox_page(as_bob, bob.mailbox)

    factories.make_grant(team, bob, can_read=True)

    assert "Listing office" in inbox_page(as_bob, bob.mailbox)
    assert "Folders of Listing office" in inbox_page(as_bob, team).replace("\n", "")
