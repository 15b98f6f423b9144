"""A member's daily webmail (S6), address book (S13) and mailbox settings (S14)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.journeys.letters import messages_containing, text_of, wait_for_message
from tests.journeys.visitor import Person, Visits
from tests.peers.postern import Postern
from tests.peers.process import wait_until

pytestmark = pytest.mark.journey

BUNDLE = b"%PDF-1.7\n" + b"Page of a bundle\n" * 400
CARDS = (
    "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Court Listings\r\n"
    "EMAIL:listing@northgate.secure.example\r\nEND:VCARD\r\n"
)


def test_a_message_with_a_file_is_answered_forwarded_filed_and_found_again(
    visit: Visits, postern: Postern, ben: Person, david: Person, priya: Person
) -> None:
    writer, reader = visit(ben), visit(david)
    writer.write(to=david["address"], subject="Papers for Monday", text="Two bundles.")
    writer.page.set_input_files(
        "[name=attachments]",
        {"name": "bundle.pdf", "mimeType": "application/pdf", "buffer": BUNDLE},
    )
    assert writer.sees("No virus found")
    writer.send()
    wait_for_message(postern, david, "Papers for Monday")

    reader.open("/mail/")
    reader.follow("Papers for Monday")
    assert reader.download("Download bundle.pdf") == BUNDLE
    reader.press("Forward")
    reader.fill(to=priya["address"], text="For you to see.")
    reader.send()
    forwarded = wait_for_message(postern, priya, "Fwd: Papers for Monday")
    [attached] = forwarded.iter_attachments()
    assert attached.get_content() == BUNDLE

    reader.open("/mail/")
    reader.follow("Papers for Monday")
    reader.follow("Reply")
    reader.fill(text="Seen, thank you.")
    reader.send()
    assert "Seen, thank you." in text_of(
        wait_for_message(postern, ben, "Re: Papers for Monday")
    )

    reader.open("/mail/")
    reader.follow("Papers for Monday")
    reader.press("Archive")
    assert not reader.finds("/mail/", "Papers for Monday")
    reader.fill(q="from:ben has:attachment Monday")
    reader.press("Search")
    reader.follow("Papers for Monday")
    assert reader.sees("Back to results")


def test_contacts_are_imported_offered_while_writing_and_exported(
    visit: Visits, priya: Person
) -> None:
    visitor = visit(priya)
    visitor.open("/mail/contacts/")
    visitor.follow("Add a contact")
    visitor.fill(name="Quentin Reed", address="david@harbour.secure.example")
    visitor.press("Save contact")
    visitor.open("/mail/contacts/import/")
    visitor.page.set_input_files(
        "[name=file]",
        {"name": "cards.vcf", "mimeType": "text/vcard", "buffer": CARDS.encode()},
    )
    visitor.press("Look at the file")
    assert visitor.sees("1 new contact")
    visitor.press("Import")
    assert visitor.finds("/mail/contacts/", "Court Listings")

    visitor.open("/mail/write/")
    visitor.page.get_by_role("combobox", name="To", exact=True).press_sequentially(
        "quen"
    )
    visitor.page.get_by_role("listbox").get_by_role("option").first.click()
    assert "david@harbour.secure.example" in visitor.page.input_value("[name=to]")

    visitor.open("/mail/contacts/")
    cards = visitor.download("vCard").decode()
    assert "FN:Quentin Reed" in cards
    assert "FN:Court Listings" in cards


def test_mail_files_itself_answers_by_itself_and_is_taken_away_as_mbox(
    visit: Visits, postern: Postern, ben: Person, grace: Person
) -> None:
    reader, writer = visit(grace), visit(ben)
    reader.open("/mail/")
    reader.follow("New folder")
    reader.fill(name="Listings")
    reader.press("Make the folder")
    reader.open("/mail/")
    reader.follow("Mailbox settings")
    assert reader.sees("Space")
    reader.follow("Rules for what arrives")
    reader.follow("Add a rule")
    reader.fill(name="Lists", subject_contains="Daily list")
    reader.pick(folder="Listings")
    reader.press("Save the rule")
    reader.open("/mail/")
    reader.follow("Mailbox settings")
    reader.follow("Out of office")
    reader.fill(text="Back on Thursday.")
    reader.press("Turn it on")

    writer.write(to=grace["address"], subject="Daily list for court 2", text="Attached")
    writer.send()
    wait_until(
        lambda: bool(messages_containing(postern, ben, "Back on Thursday.")),
        "the automatic reply",
        90,
    )
    reader.open("/mail/")
    reader.follow("Listings")
    assert reader.sees("Daily list for court 2")
    assert not reader.finds("/mail/", "Daily list for court 2")

    reader.follow("Mailbox settings")
    reader.follow("Make a copy of this mailbox")
    reader.press("Make the copy")
    copies = reader.page.url

    def is_made() -> bool:
        reader.page.goto(copies)
        link = reader.page.get_by_role("link", name="Download this copy")
        return link.count() > 0

    wait_until(is_made, "the copy", 90)
    with zipfile.ZipFile(io.BytesIO(reader.download("Download this copy"))) as taken:
        names = taken.namelist()
        [listings] = [name for name in names if "Listings" in name]
        assert b"Daily list for court 2" in taken.read(listings)
        assert "manifest.json" in {Path(name).name for name in names}
