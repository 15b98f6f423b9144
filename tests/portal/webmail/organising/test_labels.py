"""Labels, saved searches, sorting, and archiving by year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from engine.registry.models import Person
from engine.storage import folder_actions, withdrawals
from engine.storage.models import (
    Folder,
    FolderRole,
    Label,
    MailboxSettings,
    Message,
    MessageLabel,
    WithdrawalKind,
)
from engine.storage.organising import archive
from engine.storage.withdrawals import Cause
from portal.webmail import tasks
from portal.webmail.mailbox import message_list
from portal.webmail.models import SavedSearch
from tests.portal.webmail.conftest import PDF, named_address, store_message
from tests.portal.webmail.organising.pages import listed, organise, read, subjects

pytestmark = pytest.mark.django_db


@pytest.fixture
def urgent(bob: Person) -> Label:
    return Label.objects.create(mailbox=bob.mailbox, name="Urgent", colour="red")


def folder_url(message: Message, query: str = "") -> str:
    return reverse("webmail:folder", args=[message.folder_id]) + query


def test_a_label_is_made_renamed_and_deleted(bobs: Client, bob: Person) -> None:
    url = reverse("webmail:labels", args=[bob.mailbox.pk])
    bobs.post(url, {"name": "  Crown   Court ", "colour": "blue"})
    label = Label.objects.get()
    assert (label.name, label.colour) == ("Crown Court", "blue")

    again = bobs.post(url, {"name": "crown court", "colour": "red"}).content.decode()
    edit = reverse("webmail:label_edit", args=[bob.mailbox.pk, label.pk])
    bobs.post(edit, {"name": "Assizes", "colour": "green"})

    assert "A label called crown court already exists" in again
    assert Label.objects.get().name == "Assizes"
    bobs.post(edit, {"do": "delete"})
    assert not Label.objects.exists()


def test_a_mailbox_has_few_labels(
    bobs: Client, bob: Person, urgent: Label, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Label, "MAX_LABELS", 1)

    url = reverse("webmail:labels", args=[bob.mailbox.pk])
    page = bobs.post(url, {"name": "One more", "colour": "red"}).content.decode()

    assert "A mailbox has at most 1 labels" in page
    assert Label.objects.count() == 1


def test_labels_show_in_the_list_on_the_message_and_in_a_list_of_their_own(
    bobs: Client, bob: Person, urgent: Label
) -> None:
    marked = store_message(bob.mailbox, subject="Osei")
    other = store_message(bob.mailbox, subject="Vale")

    assert "1 message labelled Urgent" in organise(
        bobs, marked, organise="label", label=urgent.pk
    )

    assert listed(bobs, marked).count("Label: Urgent") == 1
    assert "Labels: Urgent" in read(bobs, marked)
    own = reverse("webmail:label", args=[bob.mailbox.pk, urgent.pk])
    assert subjects(bobs, own) == ["Osei"]
    bobs.post(reverse("webmail:message_labels", args=[other.pk]), {"label": urgent.pk})
    bobs.post(reverse("webmail:message_labels", args=[marked.pk]), {})
    assert subjects(bobs, own) == ["Vale"]
    assert "1 message moved to Archive" in organise(bobs, other, organise="archive")
    assert subjects(bobs, own) == ["Vale"]
    organise(bobs, other, organise="unlabel", label=urgent.pk)
    assert not MessageLabel.objects.exists()


def test_a_search_finds_what_has_a_label(
    bobs: Client, bob: Person, urgent: Label
) -> None:
    marked = store_message(bob.mailbox, subject="Osei, hearing")
    store_message(bob.mailbox, subject="Vale, hearing")
    organise(bobs, marked, organise="label", label=urgent.pk)
    url = reverse("webmail:search", args=[bob.mailbox.pk])

    assert subjects(bobs, f"{url}?q=label:URGENT") == ["Osei, hearing"]
    assert subjects(bobs, f"{url}?q=hearing+label:urgent") == ["Osei, hearing"]
    unknown = bobs.get(url, {"q": "label:nothing"}).content.decode()
    assert "No label is called" in unknown


def test_the_list_of_a_label_has_pages(
    bobs: Client, bob: Person, urgent: Label, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.webmail.organising.labels.PAGE_SIZE", 2)
    stored = [store_message(bob.mailbox, subject=f"Number {n}") for n in range(3)]
    organise(bobs, *stored, organise="label", label=urgent.pk)
    own = reverse("webmail:label", args=[bob.mailbox.pk, urgent.pk])

    assert subjects(bobs, own) == ["Number 2", "Number 1"]
    assert subjects(bobs, f"{own}?past={stored[1].pk}") == ["Number 0"]


def test_what_was_withdrawn_takes_no_place_in_the_list_of_a_label(
    bobs: Client, bob: Person, urgent: Label, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.webmail.organising.labels.PAGE_SIZE", 2)
    stored = [store_message(bob.mailbox, subject=f"Number {n}") for n in range(4)]
    organise(bobs, *stored, organise="label", label=urgent.pk)
    gone = [message.pk for message in stored[2:]]
    withdrawals.take_out(gone, Cause(WithdrawalKind.OPERATOR, by=None))
    own = reverse("webmail:label", args=[bob.mailbox.pk, urgent.pk])

    assert subjects(bobs, own) == ["Number 1", "Number 0"]


def test_labels_of_others_are_neither_seen_nor_used(
    bobs: Client, charlies: Client, alice: Person, bob: Person, urgent: Label
) -> None:
    theirs = Label.objects.create(mailbox=alice.mailbox, name="Hers")
    message = store_message(bob.mailbox)

    own = reverse("webmail:label", args=[bob.mailbox.pk, urgent.pk])
    assert charlies.get(own).status_code == 404
    assert (
        bobs.get(reverse("webmail:label", args=[bob.mailbox.pk, theirs.pk])).status_code
        == 404
    )
    url = reverse("webmail:organise", args=[bob.mailbox.pk])
    data = {"organise": "label", "label": theirs.pk, "message": message.pk}
    assert bobs.post(url, data).status_code == 404
    bobs.post(
        reverse("webmail:message_labels", args=[message.pk]), {"label": theirs.pk}
    )
    assert not MessageLabel.objects.exists()


def test_labels_of_rows_cost_two_queries(
    bobs: Client,
    bob: Person,
    urgent: Label,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    stored = [store_message(bob.mailbox) for _ in range(4)]
    organise(bobs, *stored, organise="label", label=urgent.pk)
    bobs.get(folder_url(stored[0]))

    with django_assert_num_queries(7):
        bobs.get(folder_url(stored[0]))


def test_a_search_is_kept_below_the_folders_of_who_kept_it(
    alices: Client, bobs: Client, bob: Person, alice: Person
) -> None:
    message = store_message(bob.mailbox)
    url = reverse("webmail:saved_searches", args=[bob.mailbox.pk])
    bobs.post(url, {"q": "from:jane is:unread", "name": "Jane, unread"})

    assert "Saved searches Jane, unread" in listed(bobs, message)
    assert alices.post(url, {"q": "x", "name": "x"}).status_code == 404
    search = SavedSearch.objects.get()
    delete = reverse("webmail:delete_saved_search", args=[bob.mailbox.pk, search.pk])
    assert alices.post(delete).status_code == 404
    bobs.post(delete)
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(
    ("query", "name", "sentence"),
    [
        ("", "Empty", "Search for something first"),
        ("before:never", "Bad", "date"),
        ("jane", "", "Enter a name of at most 40"),
    ],
)
def test_a_search_that_cannot_be_kept_says_why(
    bobs: Client, bob: Person, query: str, name: str, sentence: str
) -> None:
    url = reverse("webmail:saved_searches", args=[bob.mailbox.pk])

    page = bobs.post(url, {"q": query, "name": name}, follow=True).content.decode()

    assert sentence in page
    assert not SavedSearch.objects.exists()


def fill(bob: Person) -> list[Message]:
    """Stores messages of three senders and of growing size."""
    return [
        store_message(
            bob.mailbox,
            subject=f"Number {n}",
            sender=named_address("", f"{'abc'[n % 3]}@firm.example"),
            text="x" * (100 if n == 4 else 200 * n),
            attachments=[PDF] if n == 1 else [],
        )
        for n in range(5)
    ]


ORDERS = {
    "largest": [3, 2, 1, 4, 0],
    "smallest": [0, 4, 1, 2, 3],
    "sender": [0, 3, 1, 4, 2],
    "oldest": [0, 1, 2, 3, 4],
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_folder_is_sorted_page_by_page_there_and_back(
    bobs: Client, bob: Person, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_list, "PAGE_SIZE", 2)
    stored = fill(bob)
    sizes = {"largest": True, "smallest": True}
    if order in sizes:
        for number, message in enumerate(stored):
            Message.objects.filter(pk=message.pk).update(size=[1, 3, 4, 5, 2][number])
    expected = [f"Number {n}" for n in ORDERS[order]]
    url = folder_url(stored[0], f"?order={order}")
    ids = [stored[n].pk for n in ORDERS[order]]

    found = subjects(bobs, url)
    found += subjects(bobs, f"{url}&past={ids[1]}&page=2")
    found += subjects(bobs, f"{url}&past={ids[3]}&page=3")
    back = subjects(bobs, f"{url}&back={ids[4]}&page=2")

    assert found == expected
    assert back == expected[2:4]


def test_equal_sizes_are_told_apart_by_their_age(
    bobs: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_list, "PAGE_SIZE", 2)
    stored = fill(bob)
    Message.objects.update(size=7)
    url = folder_url(stored[0], "?order=largest")

    found = subjects(bobs, url)
    found += subjects(bobs, f"{url}&past={stored[3].pk}")
    found += subjects(bobs, f"{url}&past={stored[1].pk}")

    assert found == [f"Number {n}" for n in (4, 3, 2, 1, 0)]


def test_a_folder_shows_files_large_messages_and_one_sender_alone(
    bobs: Client, bob: Person
) -> None:
    stored = fill(bob)
    Message.objects.filter(pk=stored[2].pk).update(size=2 * 1024**2)

    assert subjects(bobs, folder_url(stored[0], "?show=files")) == ["Number 1"]
    assert subjects(bobs, folder_url(stored[0], "?show=large")) == ["Number 2"]
    sender = folder_url(stored[0], "?sender=b@firm.example")
    assert subjects(bobs, sender) == ["Number 4", "Number 1"]
    assert "Only from b@firm.example" in listed(
        bobs, stored[0], "?sender=b@firm.example"
    )


def test_the_archive_has_a_folder_for_each_year(bobs: Client, bob: Person) -> None:
    new, old = store_message(bob.mailbox), store_message(bob.mailbox)
    moment = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)
    Message.objects.filter(pk=old.pk).update(received_at=moment)

    page = organise(bobs, new, old, organise="archive_by_year")

    year = timezone.localdate().year
    assert f"2 messages moved to Archive/2024, Archive/{year}" in page
    old.refresh_from_db()
    assert old.folder.name == "Archive/2024"


def test_one_press_archives_by_year_where_the_mailbox_is_set_so(
    bobs: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox)
    MailboxSettings.objects.create(mailbox=bob.mailbox, archives_by_year=True)
    year = timezone.localdate().year

    url = reverse("webmail:act", args=[message.folder_id])
    page = bobs.post(url, {"do": "archive", "message": message.pk}, follow=True)
    assert f"1 message moved to Archive/{year}" in page.content.decode()
    bobs.post(reverse("webmail:undo_move", args=[message.folder_id]))

    message.refresh_from_db()
    assert message.folder.role == FolderRole.INBOX


def test_everything_older_is_archived_though_the_job_dies_between_slices(
    bobs: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "CHUNK", 1)
    monkeypatch.setattr(archive, "CHUNKS_AT_ONCE", 2)
    queued: list[tuple[object, ...]] = []
    monkeypatch.setattr(tasks, "async_task", lambda *args, **_: queued.append(args))
    stored = [store_message(bob.mailbox) for _ in range(5)]
    before = timezone.now() - timedelta(days=400)
    Message.objects.exclude(pk=stored[3].pk).update(received_at=before)

    bobs.post(
        reverse("webmail:archive_older", args=[stored[0].folder_id]), {"age": "365"}
    )
    while queued:
        _, *args = queued.pop()
        tasks.archive_older(*args)  # type: ignore[arg-type]
        if len(queued) == 1 and args[2] == stored[1].pk:
            tasks.archive_older(*args)  # once more, as after a crash

    inbox = Folder.objects.get(mailbox=bob.mailbox, role=FolderRole.INBOX)
    assert list(inbox.messages.all()) == [stored[3]]


def test_waste_is_not_archived(bobs: Client, bob: Person) -> None:
    message = store_message(bob.mailbox, role=FolderRole.TRASH)

    url = reverse("webmail:archive_older", args=[message.folder_id])
    page = bobs.post(url, {"age": "30"}, follow=True).content.decode()

    assert "Messages in Deleted are not archived" in page


def test_every_way_to_archive_says_that_no_folder_can_be_made_for_the_year(
    bobs: Client, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = store_message(bob.mailbox)
    MailboxSettings.objects.create(mailbox=bob.mailbox, archives_by_year=True)
    monkeypatch.setattr(folder_actions, "MAX_FOLDERS", 1)
    chosen = {"do": "archive", "message": message.pk, "q": "hearing"}

    for url in (
        reverse("webmail:act", args=[message.folder_id]),
        reverse("webmail:search_act", args=[bob.mailbox.pk]),
        "/mail/all/act/",
    ):
        page = bobs.post(url, chosen, follow=True).content.decode().casefold()
        assert "nothing was moved" in page and "at most 1 folders" in page
    for _ in "12":
        tasks.archive_older(message.folder_id, timezone.now().isoformat())

    message.refresh_from_db()
    assert message.folder.role == FolderRole.INBOX
    assert mail.outbox[0].to == [bob.address]
    assert "at most 1 folders" in str(mail.outbox[0].body)
