"""An infected message is never delivered, whichever way it enters (S10)."""

from __future__ import annotations

import base64
import binascii

import pytest

from tests import winmail
from tests.engine.antivirus.specimens import zipped
from tests.journeys.letters import download_messages
from tests.journeys.visitor import Person, Visits
from tests.peers.clamd import EICAR
from tests.peers.curl import Caller
from tests.peers.postern import Postern
from tests.peers.swaks import login_options, swaks, tls_options

pytestmark = pytest.mark.journey

_LINES = b"".join(
    binascii.b2a_uu(EICAR[at : at + 45]) for at in range(0, len(EICAR), 45)
)
UUENCODED = b"begin 644 notes.txt\n" + _LINES + b"`\nend\n"
BASE64 = b"begin-base64 644 notes.txt\n" + base64.encodebytes(EICAR) + b"====\n"
# As a lenient program decodes it: its first line holds text, and it has no last one.
BROKEN = b"begin 644 notes.txt\nsee here:\n" + _LINES
TEXTS = {"uuencode": UUENCODED, "begin-base64": BASE64, "broken": BROKEN}
WINMAIL = winmail.write(winmail.attachment(EICAR, "notes.txt"))


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


def wrapped(form: str) -> bytes:
    """Returns the fields and the body of a message that wraps the test file in a form."""
    if form == "winmail.dat":
        return (
            b"Content-Type: application/ms-tnef; name=winmail.dat\n"
            b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(WINMAIL)
        )
    return b"Content-Type: text/plain\n\nHere it is:\n\n" + TEXTS[form]


@pytest.mark.parametrize("form", [*TEXTS, "winmail.dat"])
def test_no_server_and_no_program_sends_a_virus_in_an_old_wrapping(
    postern: Postern, ben: Person, david: Person, form: str
) -> None:
    server = next(
        one
        for one in postern.demo["organisations"]
        if one["connection"] and one["connection"]["password"]
    )
    jane = f"jane@{server['member_domain']}"
    for port, sender, username, password in (
        ("smtp", jane, *map(server["connection"].get, ("username", "password"))),
        ("submission", david["address"], david["address"], david["app_password"]),
    ):
        refused = swaks(
            postern.ports[port],
            *tls_options(postern.ca_file),
            *login_options(username, password),
            sender=sender,
            recipient=ben["address"],
            message=f"From: {sender}\nSubject: Wrapped\nMIME-Version: 1.0\n".encode()
            + wrapped(form),
        )

        assert refused.refusal.startswith("554 5.7.1"), refused.transcript
        assert "virus" in refused.refusal
    assert not download_messages(postern, ben, "Wrapped")


def test_the_api_sends_no_virus_in_an_old_wrapping(
    postern: Postern, ben: Person, david: Person
) -> None:
    api = postern.demo["api"]
    court = Caller(api["base"], api["key"])
    [sender] = court("GET", f"mailboxes/?address={ben['address']}").data["results"]
    letter = {"mailbox": sender["id"], "to": [david["address"]], "subject": "Wrapped"}
    files = {**TEXTS, "winmail.dat": WINMAIL}
    attached = [
        [{"name": f"notes{number}.txt", "content": base64.b64encode(file).decode()}]
        for number, file in enumerate(files.values())
    ]

    refused = [
        court("POST", "messages/", letter | {"text": text.decode()})
        for text in TEXTS.values()
    ]
    refused += [
        court("POST", "messages/", letter | {"text": "See", "attachments": file})
        for file in attached
    ]

    assert [answer.status for answer in refused] == [409] * 7
    assert all("virus scanner" in answer.data["detail"] for answer in refused)


def test_webmail_takes_no_virus_in_an_old_wrapping(
    visit: Visits, postern: Postern, ben: Person, david: Person
) -> None:
    visitor = visit(ben)
    for form, text in TEXTS.items():
        visitor.write(to=david["address"], subject=f"In {form}", text=text.decode())
        visitor.press("Send")
        # The first message to David is asked about once for each.
        visitor.press("Send anyway")
        assert visitor.sees("virus scanner"), form
    for form, file in {**TEXTS, "winmail.dat": WINMAIL}.items():
        visitor.write(to=david["address"], subject=f"File of {form}", text="Here")
        visitor.page.set_input_files(
            "[name=attachments]",
            {"name": f"{form}.txt", "mimeType": "text/plain", "buffer": file},
        )
        assert visitor.sees("The virus scanner found"), form
    assert not download_messages(postern, david, "In ")


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
