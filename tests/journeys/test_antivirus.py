"""An infected message is never delivered, whichever way it enters (S10)."""

from __future__ import annotations

import pytest

from tests.engine.antivirus.specimens import zipped
from tests.journeys.letters import download_messages
from tests.journeys.visitor import Person, Visits
from tests.peers.clamd import EICAR
from tests.peers.postern import Postern
from tests.peers.swaks import login_options, swaks, tls_options

pytestmark = pytest.mark.journey


def test_a_mail_program_cannot_send_a_virus_and_whoever_must_know_is_told(
    visit: Visits, postern: Postern, ben: Person, david: Person, grace: Person
) -> None:
    text = f"From: {david['address']}\r\nSubject: Infected\r\n\r\n".encode() + EICAR
    refused = swaks(
        postern.ports["submission"],
        *tls_options(postern.ca_file),
        *login_options(david["address"], david["app_password"]),
        sender=david["address"],
        recipient=ben["address"],
        message=text,
    )

    assert refused.refusal.startswith("554 5.7.1")
    assert not download_messages(postern, ben, "Infected")
    for notified in (david, grace):
        assert download_messages(postern, notified, "A message was refused: ")
    operator = visit(postern.person("operator"))
    assert operator.finds("/admin/quarantine/", david["address"])
    assert operator.sees("Postern.Test.EICAR")


def test_webmail_takes_no_infected_file(visit: Visits, ben: Person) -> None:
    visitor = visit(ben)
    visitor.write(to="david@harbour.secure.example", subject="Notes", text="Here")
    visitor.page.set_input_files(
        "[name=attachments]",
        {"name": "n.zip", "mimeType": "application/zip", "buffer": zipped(EICAR)},
    )

    assert visitor.sees("n.zip was not added")
    visitor.open("/help/tickets/new/")
    visitor.choose(category="other")
    visitor.fill(subject="A file", text="See the file")
    visitor.page.set_input_files(
        "[name=attachments]",
        {"name": "n.zip", "mimeType": "application/zip", "buffer": zipped(EICAR)},
    )
    visitor.press("Send your question")
    assert visitor.sees("virus")
