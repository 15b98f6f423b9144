from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from engine.registry.models import Mailbox, Organisation, Person
from engine.storage.models import FolderRole, Message
from engine.storage.standard_folders import folder
from portal.webmail import sidebar
from portal.webmail.mailbox import message_list
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.conftest import PDF, named_address, store_message

# Session with person and organisation; roles; mailboxes with rights and preferences;
# folders with all counts; messages with those of their conversations; what is known of
# the senders. Labels, searches and reminders are asked for where there are any.
QUERIES = 5
# The same, with the message instead of the list; the rows beside it; its conversation.
QUERIES_OF_MESSAGE = 7


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
    store_message(bob.mailbox, attachments=[PDF])

    page = inbox_page(as_bob, bob.mailbox)

    assert "Jane Jones" in page
    assert "Hearing on Monday" in page
    assert "Unread: " in page
    assert "With attachments" in page
    assert "<time datetime=" in page
    assert "bytes" in page
    assert "(1 unread)" in page


def test_a_row_shows_whose_it_is_beside_the_chosen_name(
    as_bob: Client, bob: Person, alice: Person, firm: Organisation
) -> None:
    store_message(
        bob.mailbox, sender=named_address("Alice", "jane@firm.example.secure.example")
    )
    store_message(
        bob.mailbox, sender=named_address("", "x@stranger.example"), subject="Other"
    )

    page = inbox_page(as_bob, bob.mailbox).replace("<wbr>", "")

    assert "<bdi>Alice</bdi>" in page
    assert '"app-mail-row__address">jane@firm.example.secure.example</bdi>' in page
    assert "<bdi>Firm Solicitors</bdi>" in page
    assert '"app-mail-row__address">x@stranger.example</bdi>' in page


def test_a_row_cannot_carry_markup(as_bob: Client, bob: Person) -> None:
    store_message(bob.mailbox, subject="<script>alert(1)</script>")

    page = inbox_page(as_bob, bob.mailbox)

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_sent_names_the_recipients(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox, role=FolderRole.SENT)

    page = as_bob.get(reverse("webmail:folder", args=[message.folder_id]))

    assert "To </span><bdi>Alice</bdi>" in page.content.decode()


def test_a_page_costs_the_same_however_many_messages(
    as_bob: Client, bob: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store_message(bob.mailbox)
    inbox_page(as_bob, bob.mailbox)
    opened = folder(bob.mailbox, FolderRole.INBOX)
    for _ in range(5):
        store_message(bob.mailbox)
    inbox_page(as_bob, bob.mailbox)  # makes the previews of what is new

    with django_assert_num_queries(QUERIES):
        as_bob.get(reverse("webmail:folder", args=[opened.pk]))


def test_opening_a_message_costs_the_same_however_many_there_are(
    as_bob: Client, bob: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    opened = store_message(bob.mailbox)
    for _ in range(5):
        store_message(bob.mailbox)
    place = reverse("webmail:read", args=[opened.pk])
    as_bob.get(place)

    with django_assert_num_queries(QUERIES_OF_MESSAGE):
        as_bob.get(place)


def test_counting_unread_messages_stops_somewhere(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidebar, "COUNT_LIMIT", 2)
    for _ in range(4):
        store_message(bob.mailbox)

    assert "2+ unread" in inbox_page(as_bob, bob.mailbox)


def test_pages_lead_to_one_another(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_list, "PAGE_SIZE", 2)
    ids = [store_message(bob.mailbox, subject=f"Number {n}").pk for n in range(5)]

    first = inbox_page(as_bob, bob.mailbox)
    second = inbox_page(as_bob, bob.mailbox, f"?past={ids[3]}&page=2")
    third = inbox_page(as_bob, bob.mailbox, f"?past={ids[1]}&page=3")
    back = inbox_page(as_bob, bob.mailbox, f"?back={ids[0]}&page=2")
    to_start = inbox_page(as_bob, bob.mailbox, f"?back={ids[2]}&page=1")

    assert f"?past={ids[3]}&amp;page=2" in first
    assert "Number 4" in first and "Number 3" in first and "page 1," in first
    assert "Number 2" in second and "Number 1" in second and "page 2," in second
    assert f"?back={ids[2]}&amp;page=1" in second
    assert "Number 0" in third and "Older<" not in third
    assert "Number 2" in back and "Number 1" in back
    assert "Number 4" in to_start and "page 1," in to_start


@pytest.mark.parametrize("reached_by", ["past={3}&page=2", "back={0}&page=2"])
def test_who_acts_on_a_later_page_stays_there(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch, reached_by: str
) -> None:
    monkeypatch.setattr(message_list, "PAGE_SIZE", 2)
    ids = [store_message(bob.mailbox, subject=f"Number {n}").pk for n in range(5)]
    page = BeautifulSoup(
        inbox_page(as_bob, bob.mailbox, f"?{reached_by.format(*ids)}"), "html.parser"
    )
    form = page.select_one(".app-mail__form")
    hidden = {field["name"]: field["value"] for field in form.select("[type=hidden]")}

    answer = as_bob.post(
        form["action"], hidden | {"do": "read", "message": ids[2]}, follow=True
    )

    shown = answer.content.decode()
    assert "Number 2" in shown and "Number 1" in shown and "page 2," in shown


def test_the_oldest_can_come_first(
    as_bob: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_list, "PAGE_SIZE", 2)
    ids = [store_message(bob.mailbox, subject=f"Number {n}").pk for n in range(5)]

    first = inbox_page(as_bob, bob.mailbox, "?order=oldest")
    second = inbox_page(as_bob, bob.mailbox, f"?order=oldest&past={ids[1]}&page=2")
    back = inbox_page(as_bob, bob.mailbox, f"?order=oldest&back={ids[4]}&page=2")

    assert first.index("Number 0") < first.index("Number 1")
    assert f"?order=oldest&amp;past={ids[1]}&amp;page=2" in first
    assert "Number 2" in second and "Number 3" in second
    assert "Number 2" in back and "Number 3" in back


def test_only_unread_or_only_flagged_messages_are_shown(
    as_bob: Client, bob: Person
) -> None:
    store_message(bob.mailbox, subject="Read already", is_read=True)
    flagged = store_message(bob.mailbox, subject="With a flag", is_read=True)
    store_message(bob.mailbox, subject="Not read yet")
    act(as_bob, flagged, do="flag")

    unread = inbox_page(as_bob, bob.mailbox, "?show=unread")
    only_flagged = inbox_page(as_bob, bob.mailbox, "?show=flagged")

    assert "Not read yet" in unread and "Read already" not in unread
    assert "With a flag" in only_flagged and "Not read yet" not in only_flagged


@pytest.mark.parametrize(
    "query", ["?past=x", "?back=-1", "?past=" + "9" * 30, "?order=x&show=y&page=-3"]
)
def test_a_strange_page_is_the_first(as_bob: Client, bob: Person, query: str) -> None:
    store_message(bob.mailbox)

    assert "1 message" in inbox_page(as_bob, bob.mailbox, query)


def test_what_is_shown_is_kept_by_no_cache(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)

    for name in ("read", "print", "source", "original"):
        answer = as_bob.get(reverse(f"webmail:{name}", args=[message.pk]))
        assert "no-store" in answer.get("Cache-Control", "")


def test_messages_are_marked_read_and_unread(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)

    assert "1 message marked as read" in act(as_bob, message, do="read")
    message.refresh_from_db()
    assert message.is_read
    assert "1 message marked as unread" in act(as_bob, message, do="unread")
    message.refresh_from_db()
    assert not message.is_read


def test_messages_move_to_another_folder(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)
    archive = folder(bob.mailbox, FolderRole.ARCHIVE)

    page = act(as_bob, message, do="move", target=archive.pk)

    message.refresh_from_db()
    assert "1 message moved to Archive" in page
    assert message.folder == archive


def test_deleting_moves_to_deleted_and_then_asks_before_it_is_for_good(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)

    assert "1 message moved to Deleted" in act(as_bob, message, do="delete")
    message.refresh_from_db()
    assert message.folder.role == FolderRole.TRASH

    assert "for good?" in act(as_bob, message, do="delete")
    assert Message.objects.filter(pk=message.pk).exists()

    assert "1 message deleted for good" in act(as_bob, message, do="erase")
    assert not Message.objects.filter(pk=message.pk).exists()


def test_only_what_is_in_deleted_is_erased(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)

    act(as_bob, message, do="erase")

    assert Message.objects.filter(pk=message.pk).exists()


def test_choosing_nothing_is_said(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox)

    answer = as_bob.post(
        reverse("webmail:act", args=[message.folder_id]), {"do": "read"}, follow=True
    )

    assert "Choose at least one message first" in answer.content.decode()


@pytest.mark.parametrize("role", [*FolderRole])
def test_an_empty_folder_says_what_it_is_for(
    as_bob: Client, bob: Person, role: FolderRole
) -> None:
    if role in (FolderRole.CUSTOM, FolderRole.SNOOZED):
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


def test_a_row_shows_how_the_text_begins_and_makes_that_once(
    as_bob: Client, bob: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    message = store_message(
        bob.mailbox,
        text="On Monday Jane wrote:\n> the old words\nThe  hearing\u202e begins <b>at ten\n",
    )

    page = inbox_page(as_bob, bob.mailbox)

    shown = "<bdi>The hearing begins &lt;b&gt;at ten</bdi>"
    assert shown in page and "the old words" not in page
    message.refresh_from_db()
    assert message.first_use == "" and not message.is_read
    url = reverse("webmail:folder", args=[message.folder_id])
    with django_assert_num_queries(QUERIES):
        assert shown in as_bob.get(url).content.decode()


def test_a_person_chooses_one_line_for_each_message(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)

    page = as_bob.post(
        reverse("webmail:set_density"),
        {"density": "compact", "folder": message.folder_id},
        follow=True,
    ).content.decode()

    assert "app-mail-list--compact" in page and "Please see the bundle" not in page
    settings = as_bob.get(reverse("webmail:reading_preferences")).content.decode()
    assert 'value="compact" checked' in settings


def test_a_sender_without_a_name_has_that_of_the_directory(
    as_bob: Client, bob: Person, charlie: Person
) -> None:
    store_message(bob.mailbox, sender=named_address("", charlie.address))

    assert "<bdi>Charlie</bdi>" in inbox_page(as_bob, bob.mailbox)
