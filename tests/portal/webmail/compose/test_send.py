"""Sending: undo, second windows, warnings, attachments, expired sessions."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.antivirus.models import QuarantinedMessage
from engine.audit.models import Entry
from engine.database import clock
from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.queue.delivery import claim
from engine.queue.enqueue.mailbox_submission import Recipients
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.registry.actions import people
from engine.registry.models import Connection, Mailbox, Organisation, Person
from engine.routing import recipients
from engine.storage import out_of_office
from engine.storage.models import FolderRole
from portal.webmail import tasks
from portal.webmail.compose import send_message
from portal.webmail.compose.send_message import OutgoingMessage, SentAlreadyError
from portal.webmail.drafts import attachments
from portal.webmail.drafts.draft import Draft
from portal.webmail.models import DraftFile, ScheduledSend, UndoTime, WritingPreferences
from tests import factories
from tests.engine.antivirus import pdfs, specimens
from tests.portal.conftest import SignIn
from tests.portal.webmail.compose_page import (
    CHARLIE,
    KNOWN,
    ComposePage,
    file,
    messages_in,
    only_message_in,
    value_of,
)
from tests.portal.webmail.conftest import store_message

pytestmark = pytest.mark.usefixtures("charlie")

A_SECOND = timedelta(seconds=1)
WAITS: dict[str, object] = {
    "to": CHARLIE,
    "subject": "Hearing",
    "text": "On Monday",
    "confirmed": KNOWN,
}


@pytest.fixture
def compose_page(bob: Person) -> ComposePage:
    """Bob's compose page, with default preferences."""
    return ComposePage(bob.mailbox)


def test_a_page_that_comes_once_the_message_has_left_says_that_it_was_sent(
    as_bob: Client, compose_page: ComposePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = as_bob.post(compose_page.url, {**WAITS, "do": "send"})
    end_undo_period(monkeypatch)
    first, second = (_page(as_bob, answer["Location"]) for _ in "12")

    assert "Message sent." in first
    assert "Message sent" not in second


def test_a_page_that_offered_to_take_it_back_has_said_that_it_was_sent(
    as_bob: Client, compose_page: ComposePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = as_bob.post(compose_page.url, {**WAITS, "do": "send"})
    assert "will be sent in" in _page(as_bob, answer["Location"])
    end_undo_period(monkeypatch)
    assert "Message sent" not in _page(as_bob, answer["Location"])


def end_undo_period(monkeypatch: pytest.MonkeyPatch) -> None:
    later = ScheduledSend.objects.get().leaves_at + A_SECOND
    monkeypatch.setattr(clock, "estimated_timestamp", later.timestamp)


def _page(client: Client, address: str) -> str:
    return client.get(address, follow=True).content.decode()


def undo(client: Client) -> str:
    url = reverse("webmail:undo_send", args=[ScheduledSend.objects.get().pk])
    return client.post(url, follow=True).content.decode()


def test_a_sent_message_waits_and_every_page_offers_undo(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage
) -> None:
    page = compose_page.post(as_bob, "send", **WAITS).content.decode()

    assert "Message sent" in page and ">Undo<" in page
    assert not messages_in(charlie.mailbox, FolderRole.INBOX)
    only_message_in(bob.mailbox, FolderRole.SENT)
    wait = Recipient.objects.get().next_attempt_at - timezone.now()
    assert timedelta(seconds=5) < wait <= timedelta(seconds=10)
    assert claim.claim("runner") == []


def test_what_is_taken_back_is_a_draft_again_with_all_that_it_had(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", bcc="alice@northfield.secure.example", **WAITS)
    assert not ScheduledSend.objects.exists()  # no mailbox has that address
    compose_page.post(
        as_bob, "send", cc=f"Bob B <{bob.address}>", attachments=[file()], **WAITS
    )

    page = undo(as_bob)

    assert "It is a draft again" in page
    assert value_of(page, "to") == CHARLIE
    assert value_of(page, "cc") == f"Bob B &lt;{bob.address}&gt;"
    assert "On Monday" in page and "Bundle.pdf" in page
    assert not messages_in(bob.mailbox, FolderRole.SENT)
    assert set(Recipient.objects.values_list("status", flat=True)) == {"dropped"}
    assert Entry.objects.filter(event="queue.withdrawn", by_key=str(bob.pk)).exists()


def test_what_is_taken_back_loses_no_word_and_nobody(
    as_bob: Client, compose_page: ComposePage, firm_connection: Connection
) -> None:
    everybody = ", ".join(f"p{n}@firm.example.secure.example" for n in range(60))
    keys = [f"new_recipient:p{n}@firm.example.secure.example" for n in range(60)]
    typed = WAITS | {"to": everybody, "text": "word " * 150_000}
    typed["confirmed"] = [*keys, "many_recipients"]
    compose_page.post(as_bob, "send", **typed)

    page = undo(as_bob)

    assert value_of(page, "to") == everybody
    assert page.count("word ") == 150_000


def test_a_message_taken_back_can_be_sent_after_all(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", **WAITS)
    undo(as_bob)

    compose_page.post(as_bob, "send", **WAITS)

    only_message_in(bob.mailbox, FolderRole.SENT)
    statuses = Recipient.objects.values_list("status", flat=True)
    assert sorted(statuses) == ["dropped", "queued"]


def test_what_has_left_is_not_taken_back(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", **WAITS)
    Recipient.objects.update(next_attempt_at=timezone.now())
    assert claim.claim("runner")

    page = undo(as_bob)

    assert "has already been sent" in page
    only_message_in(bob.mailbox, FolderRole.SENT)
    assert Recipient.objects.get().status == RecipientStatus.QUEUED


def test_nobody_takes_back_what_another_sent(
    as_bob: Client, signed_in: SignIn, alice: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", **WAITS)
    url = reverse("webmail:undo_send", args=[ScheduledSend.objects.get().pk])

    answer = signed_in(alice, second_factor=True).post(url)

    assert answer.status_code == 404
    assert Recipient.objects.get().status == RecipientStatus.QUEUED


def sending_of(bob: Person) -> OutgoingMessage:
    to = [NamedAddress("", Address.parse(CHARLIE))]
    return OutgoingMessage(
        draft=Draft(token=uuid4(), subject="x"),
        recipients=Recipients(to, [], []),
        sender=bob.mailbox,
        drafts=bob.mailbox,
    )


def test_a_second_sending_of_the_same_draft_is_refused(bob: Person) -> None:
    once = sending_of(bob)
    send_message.send(once, by=bob)

    with pytest.raises(SentAlreadyError):
        send_message.send(once, by=bob)

    assert QueuedMessage.objects.count() == 1


def test_what_breaks_off_between_the_queue_and_the_copy_leaves_nothing(
    bob: Person, charlie: Person
) -> None:
    once = sending_of(bob)

    class Killed(Exception):
        """Stands for the end of the process before the commit."""

    with pytest.raises(Killed), transaction.atomic():
        send_message.send(once, by=bob)
        raise Killed

    assert not QueuedMessage.objects.exists()
    assert not messages_in(bob.mailbox, FolderRole.SENT)
    send_message.send(once, by=bob)
    assert len(messages_in(charlie.mailbox, FolderRole.INBOX)) == 1


def test_sending_for_a_team_records_who_did(
    as_bob: Client, bob: Person, team: Mailbox, compose_page: ComposePage
) -> None:
    factories.make_grant(team, bob, can_send=True)

    compose_page.post(as_bob, "send", sender=team.pk, **WAITS)

    entry = Entry.objects.get(event="mailbox.sent_from")
    assert (entry.subject_key, entry.by_key) == (str(team.pk), str(bob.pk))
    assert "On Monday" in undo(as_bob)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"subject": ""}, "has no subject"),
        ({"text": "I attach the bundle. Attached."}, "no file is attached"),
        ({"text": "Gweler y bwndel ynghlwm"}, "no file is attached"),
    ],
)
def test_what_somebody_would_want_to_know_is_said_before_sending(
    as_bob: Client, compose_page: ComposePage, fields: dict[str, str], sentence: str
) -> None:
    page = compose_page.post(as_bob, "send", **(WAITS | fields)).content.decode()

    assert sentence in page and "Send anyway" in page
    assert not QueuedMessage.objects.exists()
    keys = re.findall(r'name="confirmed" value="([^"]+)"', page)
    compose_page.post(as_bob, "send", **(WAITS | fields | {"confirmed": keys}))
    assert QueuedMessage.objects.exists()


def test_words_that_are_only_quoted_warn_of_nothing(
    as_bob: Client, compose_page: ComposePage
) -> None:
    quoted = "Thank you\n\nOn 2 March, Jane wrote:\n> The bundle is attached"

    compose_page.post(as_bob, "send", **(WAITS | {"text": quoted}))

    assert QueuedMessage.objects.exists()


def test_a_second_window_overwrites_nothing(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "save", text="first", version="")
    page = compose_page.post(as_bob, "save", text="second", version="").content.decode()

    assert "another window" in page
    texts = {m.content.body for m in messages_in(bob.mailbox, FolderRole.DRAFTS)}
    assert {bytes(text) for text in texts} == {b"first\r\n", b"second\r\n"}


def test_a_second_window_goes_on_with_a_draft_of_its_own(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    first = as_bob.post(f"{compose_page.url}save/", {"text": "first", "version": ""})
    version = first.json()["version"]
    again = as_bob.post(
        f"{compose_page.url}save/", {"text": "more", "version": version}
    )

    late = {"text": "late", "version": version, "window": "a" * 32, "turn": 1}
    forked = as_bob.post(f"{compose_page.url}save/", late).json()["forked"]
    # The answer was lost: the same window, with what it wrote since.
    later = late | {"text": "later", "turn": 2}
    again = as_bob.post(f"{compose_page.url}save/", later)

    assert (first.status_code, again.status_code) == (200, 200)
    assert "another window" in forked["said"]
    assert again.json()["forked"]["url"] == forked["url"] != compose_page.url
    assert "more" in compose_page.page(as_bob)
    texts = [bytes(m.content.body) for m in messages_in(bob.mailbox, FolderRole.DRAFTS)]
    assert sorted(texts) == [b"later\r\n", b"more\r\n"]


def test_a_draft_of_its_own_has_the_files(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "save", text="first", version="")
    file = SimpleUploadedFile("Bundle.txt", b"bundle", "text/plain")
    as_bob.post(f"{compose_page.url}files/", {"attachments": file})

    answer = as_bob.post(f"{compose_page.url}save/", {"text": "late", "version": ""})

    forked = answer.json()["forked"]
    assert "Bundle.txt" in forked["files"]
    assert "Bundle.txt" in as_bob.get(forked["url"]).content.decode()
    assert "Bundle.txt" in compose_page.page(as_bob)


def test_words_posted_after_the_session_lapsed_wait_for_the_writer(
    client: Client,
    signed_in: SignIn,
    bob: Person,
    charlie: Person,
    compose_page: ComposePage,
) -> None:
    answer = client.post(
        compose_page.url, {"do": "send", "text": "Long work", "to": CHARLIE}
    )
    assert answer.status_code == 302 and "login" in answer["Location"]
    waiting = client.session["unsaved_words"]

    signed_in(charlie, second_factor=True)
    session = client.session
    session["unsaved_words"] = waiting
    session.save()
    assert client.get(compose_page.url).status_code == 404

    signed_in(bob)
    session = client.session
    session["unsaved_words"] = waiting
    session.save()
    page = client.get(compose_page.url, follow=True).content.decode()

    assert "Nothing is lost" in page and "Long work" in page
    assert not QueuedMessage.objects.exists()
    only_message_in(bob.mailbox, FolderRole.DRAFTS)


def test_files_posted_after_the_session_lapsed_are_to_be_added_again(
    client: Client, signed_in: SignIn, bob: Person, compose_page: ComposePage
) -> None:
    client.post(
        compose_page.url, {"text": "Long work", "attachments": [file("Order.pdf")]}
    )
    waiting = client.session["unsaved_words"]
    signed_in(bob)
    session = client.session
    session["unsaved_words"] = waiting
    session.save()

    page = client.get(compose_page.url, follow=True).content.decode()

    assert "Add these again: Order.pdf." in page and "Long work" in page
    assert "Nothing is lost" not in page


def test_an_infected_file_is_refused_by_name_and_recorded(
    as_bob: Client, compose_page: ComposePage
) -> None:
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

    page = compose_page.post(
        as_bob, "attach", text="Kept", attachments=[file("Order.pdf", eicar), file()]
    ).content.decode()

    assert "Order.pdf was not added: the virus scanner found" in page
    assert "Kept" in page
    assert DraftFile.objects.get().name == "Bundle.pdf"
    assert Entry.objects.filter(event="webmail.infected_file_refused").exists()
    assert QuarantinedMessage.objects.get().sender.startswith("bob@")


def test_a_file_is_kept_while_the_scanner_is_away_and_does_not_leave_unscanned(
    as_bob: Client, compose_page: ComposePage, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "clamd", "/nowhere/clamd.sock")

    page = compose_page.post(as_bob, "attach", attachments=[file()]).content.decode()
    assert "Will be scanned before it is sent" in page
    page = compose_page.post(as_bob, "send", **WAITS).content.decode()

    assert "was not sent" in page and "Nothing is lost" in page
    assert "Bundle.pdf" in page
    assert not QueuedMessage.objects.exists()


def test_an_encrypted_file_is_not_added(
    as_bob: Client, compose_page: ComposePage
) -> None:
    locked = file("Order.pdf", pdfs.LOCKED_AES_256)

    page = compose_page.post(as_bob, "attach", attachments=[locked]).content.decode()

    assert "Order.pdf was not added. A PDF that is encrypted cannot be scanned" in page
    assert not DraftFile.objects.exists()
    assert not QuarantinedMessage.objects.exists()


def test_an_encrypted_file_goes_with_a_mark_where_the_community_says_so(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage, settings
) -> None:
    settings.POSTERN = settings.POSTERN.model_copy(update={"encrypted_content": "mark"})
    WritingPreferences.objects.create(person=bob, undo_seconds=UndoTime.NONE)
    locked = file("Order.pdf", pdfs.LOCKED_AES_256)

    page = compose_page.post(as_bob, "attach", attachments=[locked]).content.decode()
    compose_page.post(as_bob, "send", **WAITS)

    assert "Cannot be scanned for viruses" in page
    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert received.unscanned == "encrypted PDF"


def test_files_are_added_and_removed_by_the_script(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    added = as_bob.post(f"{compose_page.url}files/", {"attachments": [file()]})
    refused = as_bob.post(
        f"{compose_page.url}files/", {"attachments": [file("run.exe")]}
    )
    row = DraftFile.objects.get()
    removed = as_bob.post(f"{compose_page.url}files/remove/", {"file": row.pk})

    assert "Bundle.pdf" in added.content.decode()
    assert refused.status_code == 422
    assert "run.exe was not added" in refused.content.decode()
    assert "Bundle.pdf" not in removed.content.decode()
    assert not DraftFile.objects.exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("statement.pdf", specimens.program()),
        ("statement.pdf:run.exe", b"x"),
        ("papers.zip", specimens.zipped_under({"run.exe": b"x"})),
    ],
    ids=["by its octets", "by its stream", "in an archive"],
)
def test_a_program_under_another_name_is_not_added(
    as_bob: Client, compose_page: ComposePage, name: str, data: bytes
) -> None:
    upload = SimpleUploadedFile(name, data, "application/pdf")

    refused = as_bob.post(f"{compose_page.url}files/", {"attachments": [upload]})

    assert refused.status_code == 422
    assert "was not added" in refused.content.decode()
    assert not DraftFile.objects.exists()


def test_a_colleague_reaches_no_file_of_somebody_elses_draft(
    as_bob: Client, signed_in: SignIn, alice: Person, compose_page: ComposePage
) -> None:
    as_bob.post(f"{compose_page.url}files/", {"attachments": [file()]})
    row = DraftFile.objects.get()
    own = reverse("webmail:draft", args=[alice.mailbox.pk, row.token])
    client = signed_in(alice, second_factor=True)

    assert client.post(f"{compose_page.url}files/remove/").status_code == 404
    client.post(f"{own}files/remove/", {"file": row.pk})

    assert DraftFile.objects.exists()


def test_who_the_recipients_are_is_said(
    as_bob: Client, bob: Person, firm_connection: Connection, northfield: Organisation
) -> None:
    factories.make_list("clerks@northfield.secure.example", northfield, bob.address)
    message = store_message(bob.mailbox)
    page = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()
    assert "On the organisation" in page and "Not in this conversation" not in page
    compose_page = ComposePage(bob.mailbox)
    compose_page.post(as_bob, "save", text="x", answers=message.pk)

    to = f"clerks@northfield.secure.example, {CHARLIE}, nobody@harbour.secure.example"
    page = as_bob.post(f"{compose_page.url}recipients/", {"to": to}).content.decode()

    assert "Distribution list, 1 member" in page
    assert "Harbour Chambers, law firm" in page
    assert page.count("Not in this conversation so far") == 2
    assert "nobody@harbour.secure.example is not an address" in page


def test_a_hundred_recipients_are_looked_at_with_the_same_few_questions(
    as_bob: Client,
    compose_page: ComposePage,
    firm_connection: Connection,
    django_assert_num_queries,
) -> None:
    many = ", ".join(f"p{n}@firm.example.secure.example" for n in range(100))
    as_bob.post(f"{compose_page.url}recipients/", {"to": many})

    with django_assert_num_queries(6):
        answer = as_bob.post(f"{compose_page.url}recipients/", {"to": many})

    assert answer.content.decode().count("app-recipients__one") >= 100


def test_a_message_goes_to_a_hundred(
    as_bob: Client, compose_page: ComposePage, firm_connection: Connection
) -> None:
    many = ", ".join(f"p{n}@firm.example.secure.example" for n in range(100))

    keys = [f"new_recipient:p{n}@firm.example.secure.example" for n in range(100)]
    fields = WAITS | {"to": many, "confirmed": [*keys, "many_recipients"]}

    compose_page.post(as_bob, "send", **fields)

    assert Recipient.objects.count() == 100


def test_a_message_is_edited_as_a_new_one(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox, role=FolderRole.SENT, text="Said before")

    page = as_bob.post(
        reverse("webmail:edit_as_new", args=[message.pk]), follow=True
    ).content.decode()

    assert "Said before" in page
    draft, _ = only_message_in(bob.mailbox, FolderRole.DRAFTS)
    assert draft.message_id != message.message_id


def test_another_of_the_same_name_is_pointed_out(
    as_bob: Client, charlie: Person, northfield: Organisation, compose_page: ComposePage
) -> None:
    factories.make_person("c2@northfield.secure.example", northfield, name="Charlie")
    call_command("rebuild_directory", verbosity=0)

    page = as_bob.post(
        f"{compose_page.url}recipients/", {"to": CHARLIE}
    ).content.decode()

    assert "Another Charlie is at Northfield Court" in page


@pytest.mark.parametrize("is_ex_directory", [True, False])
def test_no_more_is_told_than_the_directory_tells(
    bob: Person, charlie: Person, harbour: Organisation, is_ex_directory: bool
) -> None:
    people.edit(charlie, name="Charlie Cole", is_ex_directory=is_ex_directory, by=None)
    factories.make_list(
        "clerks@harbour.secure.example",
        harbour,
        CHARLIE,
        posting="community",
        is_published=not is_ex_directory,
    )
    sender = Address.parse(bob.address)
    addresses = [Address.parse(CHARLIE), Address.parse("clerks@harbour.secure.example")]

    person, many = recipients.about_all(addresses, viewer=bob, sender=sender)

    assert person.organisation == many.organisation == "Harbour Chambers"
    assert person.name == ("" if is_ex_directory else "Charlie Cole")
    assert (many.name, many.members) == (
        ("", None) if is_ex_directory else ("Clerks", 1)
    )


def test_files_of_a_draft_that_is_gone_are_swept(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "attach", attachments=[file("kept.pdf")])
    other = ComposePage(bob.mailbox)
    as_bob.post(f"{other.url}files/", {"attachments": [file("gone.pdf")]})
    assert attachments.delete_orphans() == 0
    DraftFile.objects.update(added_at=timezone.now() - attachments.ORPHAN_AGE * 2)

    assert tasks.sweep_files() == 1

    assert DraftFile.objects.get().name == "kept.pdf"


def test_who_is_away_says_so_before_anybody_sends(
    as_bob: Client, charlie: Person, compose_page: ComposePage
) -> None:
    out_of_office.turn_on(
        charlie.mailbox,
        starts_at=timezone.now() - timedelta(hours=1),
        ends_at=None,
        subject="Away",
        text="Back on 3 June",
    )

    page = as_bob.post(
        f"{compose_page.url}recipients/", {"to": CHARLIE}
    ).content.decode()

    assert "Away: Back on 3 June" in page
