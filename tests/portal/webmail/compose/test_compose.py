from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from engine.mail.header import HeaderBlock
from engine.queue.models import QueuedMessage
from engine.queue.preflight import message_size
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage import content
from engine.storage.models import FolderRole
from portal.webmail.models import DraftFile, UndoTime, WritingPreferences
from tests import factories
from tests.portal.conftest import SignIn
from tests.portal.webmail.compose_page import (
    CHARLIE,
    JANE,
    KNOWN,
    ComposePage,
    file,
    messages_in,
    only_message_in,
    parsed_of,
    value_of,
)
from tests.portal.webmail.conftest import (
    PDF,
    compose_html,
    named_address,
    store_message,
)

pytestmark = pytest.mark.usefixtures("firm_connection", "charlie")


@pytest.fixture
def compose_page(bob: Person) -> ComposePage:
    """Bob's compose page; he prefers messages to leave immediately."""
    WritingPreferences.objects.create(person=bob, undo_seconds=UndoTime.NONE)
    return ComposePage(bob.mailbox)


def test_a_message_is_sent_and_kept_in_sent(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage
) -> None:
    answer = compose_page.post(
        as_bob, "send", to=f"Charlie <{CHARLIE}>", subject="Hello", text="One\r\nTwo"
    )

    assert "Message sent" in answer.content.decode()
    sent, reading = only_message_in(bob.mailbox, FolderRole.SENT)
    assert reading.own_text() == "One\nTwo\n"
    assert reading.header.text("From") == f"Bob <{bob.address}>"
    assert sent.is_read
    received, _ = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert received.message_id == sent.message_id
    assert not received.is_read
    queued = QueuedMessage.objects.get()
    assert queued.person_id == bob.pk
    assert queued.source == "webmail"


def test_bcc_is_hidden_from_others_and_known_to_the_sender(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", to=JANE, bcc=f"Siân C <{CHARLIE}>", text="x")

    _, sent = only_message_in(bob.mailbox, FolderRole.SENT)
    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert [str(n.address) for n in sent.address_field("Bcc").shown] == [CHARLIE]
    assert not received.address_field("Bcc").shown
    assert CHARLIE.encode() not in received.raw


def test_somebody_named_twice_gets_one_message(
    as_bob: Client, charlie: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", to=CHARLIE, cc=CHARLIE.upper(), text="x")

    assert len(messages_in(charlie.mailbox, FolderRole.INBOX)) == 1


def test_files_arrive_byte_for_byte(
    as_bob: Client, charlie: Person, compose_page: ComposePage
) -> None:
    compose_page.post(
        as_bob,
        "send",
        to=CHARLIE,
        text="x",
        attachments=[file(), file('Siân "1".bin', bytes(range(256)) * 40)],
    )

    message, reading = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert [one.part.data() for one in reading.attachments] == [
        PDF.data,
        bytes(range(256)) * 40,
    ]
    assert [a.name for a in reading.attachments] == ["Bundle.pdf", "Siân _1_.bin"]
    assert message.has_attachments


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("", "Enter at least one address"),
        ("jane", "jane is not an address"),
        ("stranger@elsewhere.example", "is not an address in this community"),
        ("nobody@harbour.secure.example", "is not an address in this community"),
    ],
)
def test_a_wrong_recipient_is_named_beside_the_field_and_nothing_is_lost(
    as_bob: Client, bob: Person, compose_page: ComposePage, to: str, sentence: str
) -> None:
    page = compose_page.post(
        as_bob,
        "send",
        to=to,
        subject="Kept subject",
        text="Kept text",
        attachments=[file()],
    ).content.decode()

    assert "There is a problem" in page
    assert sentence in page.partition('id="id_to-error"')[2]
    assert value_of(page, "to") == to
    assert "Kept subject" in page and "Kept text" in page
    assert "Bundle.pdf" in page
    assert not QueuedMessage.objects.exists()
    assert "Bundle.pdf" in compose_page.page(as_bob)


def test_every_wrong_recipient_is_named_at_once(
    as_bob: Client, compose_page: ComposePage
) -> None:
    page = compose_page.post(
        as_bob, "send", to="one@elsewhere.example", cc="two@elsewhere.example, three"
    ).content.decode()

    for word in ("one@elsewhere", "two@elsewhere", "three is not"):
        assert word in page
    # One line for each error.
    assert page.count('<a href="#id_') == 3


def test_a_list_that_does_not_admit_the_sender_is_refused(
    as_bob: Client, harbour: Organisation, compose_page: ComposePage
) -> None:
    factories.make_list(
        "clerks@harbour.secure.example", harbour, CHARLIE, posting="members"
    )

    page = compose_page.post(
        as_bob, "send", to="clerks@harbour.secure.example", text="x"
    ).content.decode()

    assert "There is a problem" in page
    assert not QueuedMessage.objects.exists()


def test_an_infected_file_is_refused_beside_the_files(
    as_bob: Client, bob: Person, charlie: Person, compose_page: ComposePage
) -> None:
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

    page = compose_page.post(
        as_bob, "send", to=CHARLIE, text="x", attachments=[file("a.com", eicar)]
    ).content.decode()

    assert "There is a problem" in page
    assert 'id="id_attachments-error"' in page
    assert not messages_in(charlie.mailbox, FolderRole.INBOX)
    assert not messages_in(bob.mailbox, FolderRole.SENT)


def test_a_draft_is_kept_as_it_was_typed(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    typed = f"half an addr, Siân <{JANE}>"
    compose_page.post(
        as_bob, "save", to=typed, cc="x", subject="Später", text=" Line\r\n\r\nTwo"
    )

    page = compose_page.page(as_bob)
    message, _ = only_message_in(bob.mailbox, FolderRole.DRAFTS)

    assert value_of(page, "to") == typed.replace("<", "&lt;").replace(">", "&gt;")
    assert value_of(page, "cc") == "x"
    assert value_of(page, "subject") == "Später"
    assert "\n Line\n\nTwo</textarea>" in page
    assert message.is_draft
    assert message.to_summary == "Siân"


def test_a_draft_opens_from_its_folder(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "save", subject="Later")
    message, _ = only_message_in(bob.mailbox, FolderRole.DRAFTS)

    answer = as_bob.get(reverse("webmail:read", args=[message.pk]))

    assert answer.status_code == 302
    assert answer["Location"] == compose_page.url


def test_a_draft_is_kept_once_and_ends_when_it_is_sent(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    for text in ("one", "two"):
        compose_page.post(as_bob, "save", text=text)
    _, draft = only_message_in(bob.mailbox, FolderRole.DRAFTS)
    assert draft.own_text() == "two\n"

    compose_page.post(as_bob, "send", to=CHARLIE, text="three")

    assert not messages_in(bob.mailbox, FolderRole.DRAFTS)
    _, sent = only_message_in(bob.mailbox, FolderRole.SENT)
    assert not [f for f in sent.header.fields if f.name.startswith("X-Draft")]


def test_a_draft_is_thrown_away_and_fetched_back(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "attach", text="First words", attachments=[file()])

    page = compose_page.post(
        as_bob, "discard", text="Last words", to="half@"
    ).content.decode()

    assert "Draft moved to Deleted" in page and ">Undo<" in page
    assert not messages_in(bob.mailbox, FolderRole.DRAFTS)
    (thrown,) = messages_in(bob.mailbox, FolderRole.TRASH)
    shown = as_bob.get(reverse("webmail:read", args=[thrown.pk])).content.decode()
    assert "Continue this draft" in shown and "From a colleague" not in shown
    page = as_bob.post(
        reverse("webmail:edit_as_new", args=[thrown.pk]), follow=True
    ).content.decode()
    assert "Last words" in page and "Bundle.pdf" in page
    assert value_of(page, "to") == "half@"
    assert messages_in(bob.mailbox, FolderRole.DRAFTS) == [thrown]


def test_throwing_a_draft_away_is_taken_back(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "discard", text="Never saved")
    drafts = bob.mailbox.folders.get(role=FolderRole.DRAFTS)

    as_bob.post(reverse("webmail:undo_move", args=[drafts.pk]))

    assert "Never saved" in compose_page.page(as_bob)


def test_a_draft_without_a_word_is_thrown_away_at_once(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    page = compose_page.post(as_bob, "discard").content.decode()

    assert "Draft deleted" in page
    assert not messages_in(bob.mailbox, FolderRole.TRASH)


def test_a_draft_of_two_windows_is_thrown_away_as_the_quicker_left_it(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "save", text="Quicker")

    compose_page.post(as_bob, "discard", text="Slower", version="")

    (thrown,) = messages_in(bob.mailbox, FolderRole.TRASH)
    assert parsed_of(thrown).own_text() == "Quicker\n"


def test_files_are_attached_and_removed_while_writing(
    as_bob: Client, charlie: Person, compose_page: ComposePage
) -> None:
    compose_page.post(
        as_bob, "attach", text="x", attachments=[file("one.pdf"), file("two.pdf")]
    )
    page = compose_page.post(
        as_bob, "attach", attachments=[file("three.pdf")]
    ).content.decode()
    assert all(name in page for name in ("one.pdf", "two.pdf", "three.pdf"))

    second = DraftFile.objects.get(name="two.pdf")
    compose_page.post(as_bob, f"remove-{second.pk}")
    compose_page.post(as_bob, "send", to=CHARLIE, text="x")

    _, reading = only_message_in(charlie.mailbox, FolderRole.INBOX)
    assert [a.name for a in reading.attachments] == ["one.pdf", "three.pdf"]


def test_too_many_octets_of_files_are_refused_with_the_limit(
    as_bob: Client, compose_page: ComposePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_size, "files_limit", lambda: 1000)

    page = compose_page.post(
        as_bob, "attach", text="Kept", attachments=[file(data=b"x" * 1001)]
    ).content.decode()

    assert (
        "One message carries at most 1000"
        in page.replace("\xa0", "").replace(" bytes", "")
        or "1000\xa0bytes" in page
    )
    assert "Kept" in page


def test_sending_twice_sends_once(
    as_bob: Client, charlie: Person, compose_page: ComposePage
) -> None:
    compose_page.post(as_bob, "send", to=CHARLIE, text="x")

    page = compose_page.post(as_bob, "send", to=CHARLIE, text="x").content.decode()

    assert "has been sent already" in page
    assert len(messages_in(charlie.mailbox, FolderRole.INBOX)) == 1


def test_no_header_can_be_slipped_in(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(
        as_bob,
        "send",
        to=CHARLIE,
        subject="Hello\r\nBcc: jane@firm.example\r\n\r\nbody",
        text="x",
    )

    _, sent = only_message_in(bob.mailbox, FolderRole.SENT)
    assert not sent.header.get("Bcc")
    assert "Bcc: jane" in sent.header.text("Subject")


def test_a_reply_goes_to_the_sender_and_marks_the_original(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    message = store_message(bob.mailbox, references="<first@firm.example>")

    page = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()
    compose_page.post(as_bob, "send", to=JANE, text="Yes", answers=message.pk)

    assert value_of(page, "to") == f"Jane Jones &lt;{JANE}&gt;"
    assert value_of(page, "subject") == "Re: Hearing on Monday"
    assert "&gt; Please see the bundle." in page
    _, sent = only_message_in(bob.mailbox, FolderRole.SENT)
    assert sent.header.text("In-Reply-To") == message.message_id
    assert (
        sent.header.text("References") == f"<first@firm.example> {message.message_id}"
    )
    message.refresh_from_db()
    assert message.is_answered


def test_a_reply_kept_as_a_draft_is_still_a_reply(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    message = store_message(bob.mailbox)

    compose_page.post(as_bob, "save", text="Yes", answers=message.pk)
    compose_page.post(as_bob, "send", to=JANE, text="Yes")

    _, sent = only_message_in(bob.mailbox, FolderRole.SENT)
    assert sent.header.text("In-Reply-To") == message.message_id
    message.refresh_from_db()
    assert message.is_answered


def test_a_reply_to_all_leaves_oneself_out(as_bob: Client, bob: Person) -> None:
    message = store_message(
        bob.mailbox,
        to=[
            named_address("Bob", bob.address),
            named_address("Carol", "carol@firm.example"),
        ],
        cc=[named_address("", CHARLIE), named_address("Jane", JANE)],
    )

    page = as_bob.get(reverse("webmail:reply_all", args=[message.pk])).content.decode()

    assert value_of(page, "to") == f"Jane Jones &lt;{JANE}&gt;"
    assert value_of(page, "cc") == f"Carol &lt;carol@firm.example&gt;, {CHARLIE}"


def test_a_reply_to_all_leaves_nobody_else_out(as_bob: Client, bob: Person) -> None:
    many = [named_address("", f"p{n}@firm.example") for n in range(150)]
    message = store_message(
        bob.mailbox, to=[named_address("Bob", bob.address)], cc=many
    )

    page = as_bob.get(reverse("webmail:reply_all", args=[message.pk])).content.decode()

    assert value_of(page, "cc").count("@firm.example") == 150


def test_a_reply_follows_reply_to(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox, extra_headers={"Reply-To": CHARLIE})

    page = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()

    assert value_of(page, "to") == CHARLIE


def test_a_reply_to_html_quotes_its_text(as_bob: Client, bob: Person) -> None:
    message = store_message(bob.mailbox, compose_html("<p>Hello <b>Bob</b></p>"))

    page = as_bob.get(reverse("webmail:reply", args=[message.pk])).content.decode()

    assert "&gt; Hello Bob" in page


def test_a_forwarded_message_is_quoted_and_carries_its_files(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, attachments=[PDF])

    page = as_bob.post(
        reverse("webmail:forward", args=[message.pk]), follow=True
    ).content.decode()

    assert value_of(page, "subject") == "Fwd: Hearing on Monday"
    assert "From: Jane Jones" in page
    assert "Bundle.pdf" in page
    draft, _ = only_message_in(bob.mailbox, FolderRole.DRAFTS)
    assert draft.has_attachments
    assert content.read(DraftFile.objects.get()) == PDF.data


@pytest.mark.usefixtures("compose_page")
def test_a_message_is_forwarded_whole_as_a_file(
    as_bob: Client, bob: Person, charlie: Person
) -> None:
    message = store_message(bob.mailbox, attachments=[PDF])
    answer = as_bob.post(reverse("webmail:forward", args=[message.pk]), {"as": "file"})

    fields = {"to": CHARLIE, "subject": "x", "text": "See", "confirmed": KNOWN}
    as_bob.post(answer["Location"], {"do": "send", **fields})

    _, received = only_message_in(charlie.mailbox, FolderRole.INBOX)
    [part] = [one.part for one in received.attachments]
    assert part.content_type == "message/rfc822"
    assert part.data().rstrip() == content.read(message).rstrip()


def test_sending_as_a_group_needs_the_right_to_send(
    as_bob: Client, bob: Person, team: Mailbox, compose_page: ComposePage
) -> None:
    grant = factories.make_grant(team, bob, can_read=True)
    fields = {"to": CHARLIE, "text": "x", "sender": team.pk}

    page = compose_page.post(as_bob, "send", **fields).content.decode()
    assert "You may not send from this address" in page
    assert not QueuedMessage.objects.exists()

    grant.can_send = True
    grant.save()
    ComposePage(bob.mailbox).post(as_bob, "send", **fields)

    _, sent = only_message_in(team, FolderRole.SENT)
    assert sent.header.text("From") == f"Listing office <{team.address}>"
    assert QueuedMessage.objects.latest("pk").person_id == bob.pk


def test_who_may_send_from_nowhere_is_told(
    signed_in: SignIn, firm: Organisation, team: Mailbox
) -> None:
    jane = factories.make_person(JANE, firm)
    factories.make_grant(team, jane, can_read=True)

    answer = signed_in(jane).get(reverse("webmail:compose", args=[team.pk]))

    assert answer.status_code == 403


def test_who_has_no_place_for_drafts_can_still_send(
    signed_in: SignIn, firm: Organisation, team: Mailbox, charlie: Person
) -> None:
    jane = factories.make_person(JANE, firm)
    factories.make_grant(team, jane, can_read=True, can_send=True)
    client = signed_in(jane)
    compose_page = ComposePage(team)

    page = client.get(reverse("webmail:compose", args=[team.pk])).content.decode()
    compose_page.post(client, "send", to=CHARLIE, text="x")

    assert ">Save draft</button>\n    <button" not in page
    assert len(messages_in(charlie.mailbox, FolderRole.INBOX)) == 1


def test_drafts_of_a_mailbox_that_is_only_read_are_kept_in_the_own_one(
    as_bob: Client, bob: Person, team: Mailbox
) -> None:
    factories.make_grant(team, bob, can_read=True)

    ComposePage(team).post(as_bob, "save", text="x")

    assert messages_in(bob.mailbox, FolderRole.DRAFTS)
    assert not messages_in(team, FolderRole.DRAFTS)


def test_headers_of_a_message_are_well_formed(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    compose_page.post(
        as_bob, "send", to=CHARLIE, subject="Žluťoučký " * 20, text="ř" * 2000
    )

    sent, _ = only_message_in(bob.mailbox, FolderRole.SENT)

    HeaderBlock.parse(bytes(sent.content.header))
    assert max(map(len, content.read(sent).split(b"\r\n"))) <= 998


def test_saves_of_one_window_follow_each_other_however_they_arrive(
    as_bob: Client, bob: Person
) -> None:
    """A page that is left, or whose connection broke, does not know its last version."""
    compose_page = ComposePage(bob.mailbox)

    def save(text: str, window: str, turn: int) -> int:
        fields = {"text": text, "version": "", "window": window, "turn": turn}
        return as_bob.post(f"{compose_page.url}save/", fields).status_code

    assert save("One", "a", 1) == 200
    assert save("One two three", "a", 3) == 200
    assert save("One two", "a", 2) == 200
    assert "One two three</textarea>" in compose_page.page(as_bob)

    # Another window goes on with a draft of its own.
    assert save("Other", "b", 1) == 200
    assert "One two three</textarea>" in compose_page.page(as_bob)
    assert len(messages_in(bob.mailbox, FolderRole.DRAFTS)) == 2
