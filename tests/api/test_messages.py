"""Sending, reading, filing and tracking mail through the API."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.test.client import encode_multipart
from django.utils import timezone

from api.models import IdempotentResponse
from api.v1.messages import sending
from engine.audit.models import Entry
from engine.database import clock
from engine.mail.address import Address
from engine.mail.composer import Attachment
from engine.queue.models import QueuedMessage, Recipient, RecipientStatus
from engine.queue.sending_rates import rate_limits
from engine.registry.models import ApiKey, Mailbox, Organisation, Person
from engine.storage import content, message_actions
from engine.storage.models import (
    FolderRole,
    GapReason,
    Label,
    Message,
    WithdrawnCopy,
)
from engine.storage.organising import labels
from engine.storage.search import index_table
from engine.storage.standard_folders import folder
from portal.configuration.sending_rates import Rates
from portal.helpdesk import attachments, ticket_links
from portal.helpdesk.attachments import ScannedFiles
from portal.helpdesk.intake import collect
from portal.helpdesk.models import Entry as TicketEntry
from portal.helpdesk.models import Ticket
from tests import factories
from tests.api.conftest import Api, Key
from tests.concurrent_commits import commit_concurrently
from tests.engine.antivirus import specimens
from tests.portal.helpdesk.conftest import deliver_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(key: Key, northfield: Organisation) -> Api:
    return key(northfield)


def letter(bob: Person, *to: Person, **over: object) -> dict[str, object]:
    fields = {
        "mailbox": bob.mailbox.pk,
        "to": [person.address for person in to],
        "subject": "Bundle for Tuesday",
        "text": "It is attached.",
    }
    return fields | over


def received(person: Person) -> Message:
    return Message.objects.get(mailbox=person.mailbox, folder__role=FolderRole.INBOX)


def test_message_is_sent_and_kept_in_sent(
    call: Api, bob: Person, charlie: Person
) -> None:
    sent = call("POST", "/messages/", letter(bob, charlie))

    assert sent.status_code == 202
    row = received(charlie)
    assert (row.subject, row.from_address) == ("Bundle for Tuesday", bob.address)
    copy = Message.objects.get(pk=sent.json()["id"])
    assert (copy.mailbox, copy.folder.role) == (bob.mailbox, FolderRole.SENT)
    entry = Entry.objects.get(event="mailbox.sent_from")
    assert entry.by_key.startswith("key:")


def test_message_is_sent_from_an_address_with_a_detail(
    call: Api, bob: Person, charlie: Person
) -> None:
    address = "Bob+Case7@northfield.secure.example"

    sent = call("POST", "/messages/", letter(bob, charlie, sender=address))

    assert sent.status_code == 202
    assert received(charlie).from_address.casefold() == address.casefold()
    assert QueuedMessage.objects.get().sender == address
    copy = Message.objects.get(pk=sent.json()["id"])
    assert copy.mailbox == bob.mailbox


@pytest.mark.parametrize(
    "local", ["bob+team", "alice", "alice+case7", "bob+all", "nobody+case7"]
)
def test_message_is_not_sent_from_an_address_of_another_mailbox(
    call: Api,
    northfield: Organisation,
    alice: Person,
    bob: Person,
    charlie: Person,
    local: str,
) -> None:
    factories.make_group_mailbox("bob+team@northfield.secure.example", northfield)
    factories.make_list("bob+all@northfield.secure.example", northfield)

    refused = call(
        "POST",
        "/messages/",
        letter(bob, charlie, sender=f"{local}@northfield.secure.example"),
    )

    assert refused.status_code == 409, refused.content
    assert "is not an address of the mailbox" in refused.json()["detail"]
    assert not QueuedMessage.objects.exists()


def test_message_that_is_sent_again_goes_out_once(
    call: Api, bob: Person, charlie: Person
) -> None:
    first = call("POST", "/messages/", letter(bob, charlie), Idempotency_Key="m1")
    second = call("POST", "/messages/", letter(bob, charlie), Idempotency_Key="m1")
    # The process ends after the message was stored and before its response was.
    IdempotentResponse.objects.all().delete()
    third = call("POST", "/messages/", letter(bob, charlie), Idempotency_Key="m1")

    assert first.json() == second.json()
    assert third.json()["reference"] == first.json()["reference"]
    assert QueuedMessage.objects.count() == 1
    assert received(charlie)


@pytest.mark.django_db(transaction=True)
def test_message_that_two_processes_send_with_one_key_goes_out_once(
    key: Key,
    northfield: Organisation,
    bob: Person,
    charlie: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first process was presumed dead but is still running."""
    key(northfield)
    by, sender = ApiKey.objects.get(), bob.mailbox

    def send() -> sending.Sent:
        written = sending.Letter([Address.parse(charlie.address)], "Bundle", "Hello")
        return sending.send(
            written, sender=sender, once="m1", keep=lambda sent: None, by=by
        )

    first, second = commit_concurrently([send, send], monkeypatch)

    assert first == second
    assert QueuedMessage.objects.count() == 1
    assert received(charlie)
    assert Message.objects.filter(folder__role=FolderRole.SENT).count() == 1


def test_blind_copies_are_seen_by_the_sender_only(
    call: Api, alice: Person, bob: Person, charlie: Person
) -> None:
    sent = call("POST", "/messages/", letter(bob, charlie, bcc=[alice.address])).json()

    assert b"Bcc" not in content.read(received(charlie))
    assert received(alice)
    copy = Message.objects.get(pk=sent["id"])
    assert alice.address.encode() in content.read(copy)


def test_file_comes_as_base64_or_beside_the_message(
    call: Api, key: Key, northfield: Organisation, bob: Person, charlie: Person
) -> None:
    file = {"name": "a.txt", "content": b64encode(b"one").decode()}
    call("POST", "/messages/", letter(bob, charlie, attachments=[file]))
    first = received(charlie)
    call_charlie = key(charlie.organisation)

    shown = call_charlie("GET", f"/messages/{first.pk}/").json()

    assert shown["text"].strip() == "It is attached."
    assert [one["name"] for one in shown["attachments"]] == ["a.txt"]
    path = shown["attachments"][0]["path"]
    fetched = call_charlie("GET", f"/messages/{first.pk}/attachments/{path}/")
    assert fetched.content == b"one"
    assert "attachment" in fetched["Content-Disposition"]


def test_multipart_request_carries_files(
    call: Api, bob: Person, charlie: Person
) -> None:
    client: Client = call._client
    sent = client.post(
        "/api/v1/messages/",
        {
            "message": json.dumps(letter(bob, charlie)),
            "files": [SimpleUploadedFile("b.txt", b"two", "text/plain")],
        },
    )

    assert sent.status_code == 202
    assert received(charlie).has_attachments


def test_large_file_that_is_sent_again_goes_out_once(
    call: Api, bob: Person, charlie: Person
) -> None:
    big = b"0123456789abcdef" * (400 * 1024)

    def send(content: bytes) -> HttpResponse:
        message = SimpleUploadedFile(
            "m.json", json.dumps(letter(bob, charlie)).encode()
        )
        parts = {"message": message, "files": [SimpleUploadedFile("b.txt", content)]}
        boundary = secrets.token_hex(8)  # Different each time, as with curl.
        return call._client.post(
            "/api/v1/messages/",
            encode_multipart(boundary, parts),
            content_type=f"multipart/form-data; boundary={boundary}",
            headers={"Idempotency-Key": "m2"},
        )

    first, second, other = send(big), send(big), send(big[::-1])

    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert QueuedMessage.objects.count() == 1
    assert other.status_code == 422


@pytest.mark.parametrize("content_type", ["", "text", "text/plain/x", "message/rfc822"])
def test_file_of_a_strange_kind_is_carried(
    call: Api, bob: Person, charlie: Person, content_type: str
) -> None:
    sent = call._client.post(
        "/api/v1/messages/",
        {
            "message": json.dumps(letter(bob, charlie)),
            "files": [SimpleUploadedFile("b.txt", b"two", content_type)],
        },
    )

    assert sent.status_code == 202
    assert received(charlie).has_attachments


def test_infected_file_is_not_sent(call: Api, bob: Person, charlie: Person) -> None:
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    file = {"name": "a.txt", "content": b64encode(eicar).decode()}

    sent = call("POST", "/messages/", letter(bob, charlie, attachments=[file]))

    assert sent.status_code == 409
    assert "virus scanner" in sent.json()["detail"]
    assert not QueuedMessage.objects.filter(source="api").exists()


def test_a_program_under_another_name_is_not_sent(
    call: Api, bob: Person, charlie: Person
) -> None:
    content = b64encode(specimens.program()).decode()
    file = {"name": "statement.pdf", "content": content}

    sent = call("POST", "/messages/", letter(bob, charlie, attachments=[file]))

    assert sent.status_code == 409
    assert "are not carried here" in sent.json()["detail"]
    assert not QueuedMessage.objects.filter(source="api").exists()


@pytest.mark.parametrize(
    ("over", "status"),
    [
        ({"to": ["outside@gmail.example"]}, 409),
        ({"to": ["not an address"]}, 400),
        ({"to": []}, 400),
        ({"attachments": [{"name": "a", "content": "§"}]}, 400),
        ({"subject": "a\r\nBcc: x@y.example"}, 202),
    ],
)
def test_letter_that_cannot_go_is_told(
    call: Api, bob: Person, charlie: Person, over: dict, status: int
) -> None:
    sent = call("POST", "/messages/", letter(bob, charlie, **over))

    assert sent.status_code == status
    for copy in Message.objects.all():
        assert b"\nBcc" not in content.read(copy)


def test_neighbour_s_mailbox_opens_to_nobody(
    key: Key, call: Api, bob: Person, charlie: Person
) -> None:
    call("POST", "/messages/", letter(bob, charlie))
    theirs = received(charlie).pk

    assert call("POST", "/messages/", letter(charlie, bob)).status_code == 404
    for stranger in (call, key(None)):
        assert stranger("GET", f"/messages/{theirs}/").status_code == 404
        assert stranger("GET", f"/messages/{theirs}/raw/").status_code == 404
        assert stranger("DELETE", f"/messages/{theirs}/").status_code == 404
        listed = stranger("GET", f"/messages/?mailbox={charlie.mailbox.pk}")
        assert listed.status_code == 404


def test_messages_are_listed_searched_marked_moved_and_deleted(
    call: Api, alice: Person, bob: Person
) -> None:
    for subject in ("Listing", "Bail", "Listing again"):
        call("POST", "/messages/", letter(alice, bob, subject=subject))
    at = f"/messages/?mailbox={bob.mailbox.pk}"

    first = call("GET", f"{at}&limit=2").json()
    second = call("GET", first["next"].partition("/api/v1")[2]).json()
    back = call("GET", second["previous"].partition("/api/v1")[2]).json()
    found = call("GET", f"{at}&q=subject:bail").json()["results"]
    pk = second["results"][0]["id"]
    court = Label.objects.create(mailbox=bob.mailbox, name="Court")
    labels.put_on(court, [Message.objects.get(pk=pk)])
    folders = call("GET", f"/mailboxes/{bob.mailbox.pk}/folders/").json()["results"]
    archive = next(one["id"] for one in folders if one["role"] == "archive")
    changed = call(
        "PATCH", f"/messages/{pk}/", {"is_read": True, "folder": archive}
    ).json()

    subjects = [one["subject"] for one in first["results"] + second["results"]]
    assert subjects == ["Listing again", "Bail", "Listing"]
    assert (second["next"], first["previous"], back["previous"]) == (None, None, None)
    assert back["results"] == first["results"]
    assert [one["subject"] for one in found] == ["Bail"]
    assert changed["is_read"] and changed["folder"] == archive
    assert changed["labels"] == ["Court"]
    assert call("DELETE", f"/messages/{pk}/").status_code == 204
    assert call("GET", f"/messages/{pk}/").status_code == 200
    assert call("DELETE", f"/messages/{pk}/").status_code == 204
    assert call("GET", f"/messages/{pk}/").status_code == 404


def test_messages_are_found_by_their_reference(
    call: Api, alice: Person, bob: Person
) -> None:
    reference = call("POST", "/messages/", letter(alice, bob)).json()["reference"]
    call("POST", "/messages/", letter(alice, bob))

    for person, role in ((alice, FolderRole.SENT), (bob, FolderRole.INBOX)):
        at = f"/messages/?mailbox={person.mailbox.pk}&reference={reference.lower()}"
        [found] = call("GET", at).json()["results"]
        assert found["reference"] == reference
        assert Message.objects.get(pk=found["id"]).folder.role == role
        assert call("GET", f"/messages/{found['id']}/").json()["reference"] == reference
        assert call("GET", f"{at}&q=bundle").status_code == 400
    at = f"/messages/?mailbox={bob.mailbox.pk}&reference=0123456789ABCDEF"
    assert call("GET", at).json()["results"] == []


def test_a_message_to_oneself_is_found_twice_by_its_reference(
    call: Api, bob: Person
) -> None:
    reference = call("POST", "/messages/", letter(bob, bob)).json()["reference"]

    at = f"/messages/?mailbox={bob.mailbox.pk}&reference={reference}&limit=1"
    first = call("GET", at).json()
    second = call("GET", first["next"].partition("/api/v1")[2]).json()

    found = [*first["results"], *second["results"]]
    roles = {Message.objects.get(pk=one["id"]).folder.role for one in found}
    assert roles == {FolderRole.SENT, FolderRole.INBOX}
    assert second["next"] is None


def test_a_search_reports_what_it_leaves_out(
    call: Api, alice: Person, bob: Person
) -> None:
    call("POST", "/messages/", letter(alice, bob))
    message = received(bob)
    at = f"/messages/?mailbox={bob.mailbox.pk}"
    assert call("GET", at).json()["search"] is None
    assert call("GET", f"{at}&q=bail").json()["search"] == {
        "waiting": 0,
        "not_whole_count": 0,
        "not_whole": [],
    }
    index_table.note_gap(message.pk, bob.mailbox.pk, GapReason.ENCRYPTED)

    reported = call("GET", f"{at}&q=bail").json()["search"]

    assert reported["not_whole_count"] == 1
    (gap,) = reported["not_whole"]
    assert (gap["message"], gap["reason"]) == (message.pk, "encrypted")
    assert "encrypted" in gap["explanation"]
    call("POST", "/messages/", letter(alice, bob))
    first = call("GET", f"{at}&q=in:anywhere&limit=1").json()
    older = call("GET", first["next"].partition("/api/v1")[2]).json()
    assert [one["id"] for one in older["results"]] == [message.pk]
    assert older["search"] is None
    newer = call("GET", older["previous"].partition("/api/v1")[2]).json()
    assert newer["results"] == first["results"]


def test_changing_and_deleting_a_message_is_on_record(
    call: Api, alice: Person, bob: Person
) -> None:
    call("POST", "/messages/", letter(alice, bob))
    at = f"/messages/{received(bob).pk}/"
    folders = call("GET", f"/mailboxes/{bob.mailbox.pk}/folders/").json()["results"]
    archive = next(one for one in folders if one["role"] == "archive")

    call("PATCH", at, {"is_read": True, "folder": archive["id"]})
    call("PATCH", at, {})
    call("DELETE", at)
    call("DELETE", at)

    entries = Entry.objects.filter(event__in=["message.changed", "message.deleted"])
    changed, moved, erased = entries.order_by("pk")
    assert changed.detail["is_read"] is True
    assert changed.detail["folder"] == archive["name"]
    assert (moved.detail["for_good"], erased.detail["for_good"]) == (False, True)
    assert {entry.by_key.partition(":")[0] for entry in entries} == {"key"}
    assert {entry.subject_name for entry in entries} == {bob.address}


def test_reading_a_message_is_on_record(call: Api, alice: Person, bob: Person) -> None:
    call("POST", "/messages/", letter(alice, bob))

    raw = call("GET", f"/messages/{received(bob).pk}/raw/")

    assert raw["Content-Type"] == "message/rfc822"
    assert b"Subject: Bundle for Tuesday" in raw.content
    assert Entry.objects.get(event="message.read").by_key.startswith("key:")


def test_message_is_followed_by_both_sides_and_nobody_else(
    key: Key, call: Api, bob: Person, charlie: Person, firm: Organisation
) -> None:
    reference = call("POST", "/messages/", letter(bob, charlie)).json()["reference"]
    at = f"/traces/{reference}/"

    for knows in (call, key(charlie.organisation), key(None)):
        steps = knows("GET", at).json()["steps"]
        assert [step["kind"] for step in steps] == ["received", "delivered"]
    assert key(firm)("GET", at).status_code == 404


def test_queue_is_worked_by_the_community(
    key: Key, call: Api, bob: Person, firm: Organisation
) -> None:
    factories.make_connection(firm)
    sent = call("POST", "/messages/", letter(bob, to=["jo@firm.example"]))
    staff = key(None)
    row = Recipient.objects.get(message__reference=sent.json()["reference"])
    at = f"/queue/{row.pk}/"

    assert staff("POST", f"{at}hold/", {"reason": "x"}).json()["status"] == "held"
    assert staff("POST", f"{at}retry/").status_code == 409
    assert staff("POST", f"{at}release/").json()["status"] == "queued"
    Recipient.objects.update(status="held", hold="withdrawn")
    refused = staff("POST", f"{at}release/")
    assert refused.status_code == 409
    assert "cannot release it" in refused.json()["detail"]
    Recipient.objects.update(status="queued", hold="")
    assert staff("POST", f"{at}retry/").status_code == 200
    assert staff("POST", f"{at}drop/", {"reason": "x"}).json()["status"] == "dropped"
    assert call("GET", "/queue/").status_code == 403
    assert Entry.objects.get(event="queue.dropped").by_key.startswith("key:")


def test_ticket_is_opened_and_answered(
    key: Key, call: Api, helpdesk: Mailbox, bob: Person
) -> None:
    new = {"requester": bob.pk, "subject": "Locked out", "text": "Please help"}
    made = call("POST", "/tickets/", new).json()
    at = f"/tickets/{made['id']}/"

    answered = key(None)("POST", f"{at}reply/", {"text": "Done."}).json()
    added = call("POST", f"{at}reply/", {"text": "Not yet."}).json()

    assert made["source"] == "api"
    assert answered["status"] == "waiting_for_requester"
    assert added["status"] == "open"
    texts = [entry["text"] for entry in call("GET", at).json()["entries"]]
    assert texts[0] == "Please help" and texts[-2:] == ["Done.", "Not yet."]


def test_ticket_shows_all_that_came_by_mail(
    key: Key, call: Api, helpdesk: Mailbox, bob: Person
) -> None:
    new = {"requester": bob.pk, "subject": "Locked out", "text": "Please help"}
    ticket = Ticket.objects.get(pk=call("POST", "/tickets/", new).json()["id"])
    deliver_mail(
        helpdesk,
        bob.address,
        to=ticket_links.reply_address(ticket),
        text="Not yet.\n\nOn Monday, Hugh wrote:\n> Done?",
        attachments=[Attachment("Lös.pdf", "text/html", b"%PDF-1.7")],
    )
    collect.collect()

    at = f"/tickets/{ticket.pk}/"
    entry = call("GET", at).json()["entries"][-1]
    file = entry["attachments"][0]
    got = call("GET", f"{at}attachments/{file['id']}/")

    assert entry["text"] == "Not yet."
    assert entry["folded_texts"] == [
        {
            "kind": "quotation",
            "title": "",
            "text": "On Monday, Hugh wrote:\n> Done?",
        }
    ]
    assert (file["name"], file["size"]) == ("Lös.pdf", 8)
    assert (got.content, got["Content-Type"]) == (
        b"%PDF-1.7",
        "application/octet-stream",
    )
    assert key(None)("GET", f"{at}attachments/{file['id']}/").status_code == 200


def test_files_of_anothers_ticket_or_of_a_note_are_not_there(
    key: Key, call: Api, helpdesk: Mailbox, bob: Person, charlie: Person
) -> None:
    new = {"requester": charlie.pk, "subject": "Help", "text": "Please"}
    theirs = key(charlie.organisation)("POST", "/tickets/", new).json()["id"]
    mine = call("POST", "/tickets/", new | {"requester": bob.pk}).json()["id"]
    entries = {row.kind: row for row in TicketEntry.objects.filter(ticket=theirs)}
    files = ScannedFiles((Attachment("a.txt", "text/plain", b"x"),))
    for entry in entries.values():
        attachments.store(entry, files)
    public, hidden = (
        entries[kind].attachments.get().pk for kind in ("request", "note")
    )

    for ticket, file in ((theirs, public), (mine, public), (mine, hidden)):
        at = f"/tickets/{ticket}/attachments/{file}/"
        assert call("GET", at).status_code == 404
    staff = key(None)
    assert staff("GET", f"/tickets/{theirs}/attachments/{public}/").status_code == 200
    assert staff("GET", f"/tickets/{theirs}/attachments/{hidden}/").status_code == 404


def test_ticket_of_somebody_else_is_not_there(
    key: Key, call: Api, helpdesk: Mailbox, bob: Person, charlie: Person
) -> None:
    new = {"requester": charlie.pk, "subject": "Help", "text": "Please"}
    theirs = key(charlie.organisation)("POST", "/tickets/", new).json()

    assert call("POST", "/tickets/", new).status_code == 404
    assert call("GET", f"/tickets/{theirs['id']}/").status_code == 404
    assert call("GET", "/tickets/").json()["results"] == []


def test_a_key_that_sends_too_much_is_told_when_to_come_back(
    call: Api,
    bob: Person,
    charlie: Person,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: object,
) -> None:
    few = Rates(minute=2, hour=100, day=100)
    monkeypatch.setattr(settings.POSTERN, "key_messages", few)
    rate_limits.meter.clear()

    answers = []
    for number in range(3):
        with django_capture_on_commit_callbacks(execute=True):
            said = letter(bob, charlie, subject=f"Bundle {number}")
            key = {"Idempotency-Key": f"bundle-{number}"}
            answers.append(call("POST", "/messages/", said, **key))

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert 0 < int(answers[2]["Retry-After"]) <= 61
    assert answers[2]["Content-Type"] == "application/problem+json"
    assert "One key may send 2 messages in one minute" in answers[2].json()["detail"]
    assert QueuedMessage.objects.count() == 2
    # The same request is repeated, and takes effect, when it is due.
    monkeypatch.setattr(
        rate_limits.meter, "clock", lambda: clock.estimated_timestamp() + 61
    )
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        again = call("POST", "/messages/", said, **key)
    assert again.status_code == 202
    rate_limits.meter.clear()


def test_recipients_are_listed_with_their_addresses(
    call: Api, bob: Person, alice: Person, charlie: Person
) -> None:
    call("POST", "/messages/", letter(bob, charlie, cc=[alice.address]))
    sent = f"/messages/?mailbox={bob.mailbox.pk}&folder=sent"

    (row,) = call("GET", sent).json()["results"]
    opened = call("GET", f"/messages/{row['id']}/").json()

    assert row["to_addresses"] == [charlie.address, alice.address]
    assert opened["to_addresses"] == row["to_addresses"]
    assert (opened["to"], opened["cc"]) == ([charlie.address], [alice.address])


def test_mail_that_waits_untried_behind_a_server_that_is_down_is_followed(
    key: Key, call: Api, bob: Person, charlie: Person
) -> None:
    tried, untried = (
        call("POST", "/messages/", letter(bob, charlie, subject=subject)).json()
        for subject in "ab"
    )
    rows = Recipient.objects.filter(message__reference=untried["reference"])
    for one in (tried, untried):
        Recipient.objects.filter(message__reference=one["reference"]).update(
            destination="connection:1",
            status=RecipientStatus.QUEUED,
            finished_at=None,
            last_reply="451 4.4.1 The next hop does not answer",
            next_attempt_at=timezone.now() + timedelta(hours=1),
        )
    rows.update(last_reply="", next_attempt_at=timezone.now() - timedelta(hours=1))

    steps = call("GET", f"/traces/{untried['reference']}/").json()["steps"]

    assert steps[-1]["kind"] == "deferred"
    assert steps[-1]["recipient"] == charlie.address
    assert steps[-1]["reply"] == "451 4.4.1 The next hop does not answer"
    assert (steps[-1]["times"], steps[-1]["last_at"]) == (1, None)


def test_other_forms_of_a_text_are_listed(call: Api, bob: Person) -> None:
    raw = (
        b"From: jane@firm.example\r\nSubject: Two forms\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nPlain words\r\n"
        b"--b\r\nContent-Type: text/markdown\r\n\r\n**Words**\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<b>Words</b>\r\n--b--\r\n"
    )
    inbox = folder(bob.mailbox, FolderRole.INBOX)
    message = message_actions.append(inbox, raw, is_read=False)

    opened = call("GET", f"/messages/{message.pk}/").json()
    markdown = call("GET", f"/messages/{message.pk}/attachments/2/")

    listed = [(one["path"], one["alternative_to"]) for one in opened["parts"]]
    assert listed == [("3", ""), ("2", "3"), ("1", "3")]
    assert opened["text"] == "Plain words"
    assert markdown.content == b"**Words**"


def test_a_message_is_recalled_by_a_key_that_opens_its_mailbox(
    key: Key, call: Api, bob: Person, alice: Person, charlie: Person
) -> None:
    sent = call("POST", "/messages/", letter(bob, alice, charlie)).json()
    theirs = received(charlie)
    assert key(charlie.organisation)("GET", f"/messages/{theirs.pk}/").json()["text"]
    url = f"/messages/{sent['id']}/recall/"
    assert key(charlie.organisation)("POST", url, {}).status_code == 404
    refused = call("POST", url, {"reason": "x" * 201})
    assert refused.status_code == 400

    answer = call("POST", url, {"reason": "Wrong bundle"})

    assert answer.status_code == 200, answer.content
    outcomes = {one["recipient"]: one for one in answer.json()["recipients"]}
    assert answer.json()["state"] == "partly_recalled"
    assert outcomes[alice.address]["state"] == "recalled"
    assert outcomes[charlie.address]["state"] == "delivered"
    assert "already opened, fetched" in outcomes[charlie.address]["why"]
    assert received(charlie) == theirs
    [copy] = WithdrawnCopy.objects.all()
    assert (copy.mailbox, copy.reason) == (alice.mailbox, "Wrong bundle")
    gone = call("GET", f"/messages/{copy.pk}/")
    assert gone.status_code == 404
    entry = Entry.objects.get(event="message.recalled")
    assert entry.by_key.startswith("key:")


def test_a_message_that_was_received_is_not_recalled(
    key: Key, call: Api, bob: Person, charlie: Person
) -> None:
    call("POST", "/messages/", letter(bob, charlie))

    answer = key(charlie.organisation)(
        "POST", f"/messages/{received(charlie).pk}/recall/", {}
    )

    assert answer.status_code == 404
    assert not WithdrawnCopy.objects.exists()
