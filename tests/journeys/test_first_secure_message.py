"""From an application to secure mail both ways, with nothing but real programs."""

from __future__ import annotations

import email
import email.message
import email.utils
import re
import subprocess
from dataclasses import dataclass

import pytest

from tests.engine.antivirus import specimens
from tests.engine.antivirus.specimens import forwarded, zipped
from tests.journeys import letters
from tests.journeys.firm import JANE, JANE_INSIDE, Letter, text_of
from tests.journeys.letters import download_messages, wait_for_message_at_firm
from tests.journeys.visitor import Person, Visits
from tests.peers.clamd import EICAR, Clamd
from tests.peers.postern import Postern
from tests.peers.postfix import Postfix
from tests.peers.process import wait_until
from tests.peers.swaks import Conversation, login_options, swaks, tls_options

pytestmark = pytest.mark.journey


def written_to(ben: Person, subject: str, pdf: bytes = b"") -> bytes:
    message = email.message.EmailMessage()
    message["From"], message["To"] = f"Jane Marsh <{JANE}>", ben["address"]
    message["Subject"] = subject
    message["Message-ID"] = email.utils.make_msgid(domain="firm.example")
    message.set_content("Good morning\n")
    if pdf:
        message.add_attachment(
            pdf, maintype="application", subtype="pdf", filename="bundle.pdf"
        )
    return message.as_bytes()


def test_the_letter_is_tagged_and_names_the_firm(letter: Letter) -> None:
    assert "Firm Solicitors has joined" in text_of(letter.pdf)
    facts = subprocess.run(
        ["pdfinfo", "-"], input=letter.pdf, capture_output=True, check=True
    )
    assert re.search(r"Tagged:\s+yes", facts.stdout.decode())


def test_mail_both_ways_between_a_firms_own_server_and_a_hosted_user(
    firm: Postfix,
    letter: Letter,
    visit: Visits,
    postern: Postern,
    ben: Person,
) -> None:
    firm.send(
        written_to(ben, "The bundle", letter.pdf),
        sender=JANE,
        recipients=[ben["address"]],
    )
    wait_until(
        lambda: bool(download_messages(postern, ben, "The bundle")), "the bundle"
    )

    visitor = visit(ben)
    visitor.open("/mail/")
    visitor.follow("The bundle")
    assert visitor.sees(JANE_INSIDE)
    assert visitor.download("Download bundle.pdf") == letter.pdf

    visitor.follow("Reply")
    visitor.fill(text="Received with thanks.")
    visitor.send()

    reply = wait_for_message_at_firm(firm, "jane", "Re: The bundle")
    assert ben["address"] in reply["From"]
    assert "Received with thanks." in letters.text_of(reply)
    assert "with ESMTPS" in reply.get_all("Received")[0]


def test_a_mail_client_downloads_the_same_message_with_an_app_password(
    firm: Postfix, letter: Letter, postern: Postern, ben: Person
) -> None:
    firm.send(
        written_to(ben, "For mpop", letter.pdf),
        sender=JANE,
        recipients=[ben["address"]],
    )
    wait_until(lambda: bool(download_messages(postern, ben, "For mpop")), "the message")

    [message] = download_messages(postern, ben, "For mpop")
    [pdf] = [part for part in message.walk() if part.get_filename() == "bundle.pdf"]
    assert f"<{JANE_INSIDE}>" in message["From"]
    assert pdf.get_payload(decode=True) == letter.pdf


@dataclass
class Attempt:
    """Sends by swaks with everything right except what the test changes."""

    postern: Postern
    letter: Letter
    recipient: str

    def __call__(
        self,
        *,
        is_encrypted: bool = True,
        is_signed_in: bool = True,
        sender: str = JANE,
        recipient: str = "",
        message: bytes = b"",
    ) -> Conversation:
        options = tls_options(self.postern.ca_file) if is_encrypted else []
        if is_signed_in and is_encrypted:
            options += login_options(self.letter.username, self.letter.password)
        recipient = recipient or self.recipient
        text = f"From: {sender}\r\nTo: {recipient}\r\nSubject: Tried\r\n\r\nHello\r\n"
        return swaks(
            self.postern.ports["smtp"],
            *options,
            sender=sender,
            recipient=recipient,
            message=message or text.encode(),
        )


@pytest.fixture
def attempt(postern: Postern, letter: Letter, ben: Person) -> Attempt:
    return Attempt(postern, letter, ben["address"])


def test_swaks_passes_when_everything_is_right(attempt: Attempt) -> None:
    assert attempt().code == 0


def test_swaks_without_tls_is_told_to_start_it(attempt: Attempt) -> None:
    refused = attempt(is_encrypted=False)

    assert refused.code
    assert refused.refusal.startswith("530 5.7.0 Must issue a STARTTLS command first")


def test_swaks_without_credentials_is_told_to_sign_in(attempt: Attempt) -> None:
    refused = attempt(is_signed_in=False)

    assert refused.code
    assert refused.refusal.startswith("530 5.7.0 Authentication required")


def test_swaks_with_another_organisations_sender_is_refused(attempt: Attempt) -> None:
    refused = attempt(sender="alice@northgate.secure.example")

    assert refused.code
    assert "550 5.7.1 <alice@northgate.secure.example> is not an address" in (
        refused.refusal
    )


def test_swaks_to_a_stranger_is_refused(attempt: Attempt) -> None:
    refused = attempt(recipient="someone@stranger.example")

    assert refused.code
    assert refused.refusal.startswith("550 5.1.1")


@pytest.mark.parametrize(
    "message",
    [
        f"From: {JANE}\r\nSubject: Plain\r\n\r\n".encode() + EICAR + b"\r\n",
        specimens.message(zipped(EICAR), name="papers.zip"),
        forwarded(zipped(EICAR)),
    ],
    ids=["plain", "zipped", "nested in a forwarded message"],
)
def test_swaks_with_a_virus_is_refused(attempt: Attempt, message: bytes) -> None:
    refused = attempt(message=message)

    assert refused.code
    assert re.match(r"554 5\.7\.1 .*Postern\.Test\.EICAR", refused.refusal)


def test_mail_waits_at_the_firm_while_the_scanner_is_away(
    attempt: Attempt, firm: Postfix, clamd: Clamd, postern: Postern, ben: Person
) -> None:
    clamd.stop()
    try:
        refused = attempt()
        firm.send(
            written_to(ben, "While away"), sender=JANE, recipients=[ben["address"]]
        )
        wait_until(lambda: "451 4.7.1" in firm.log(), "a reply of 451", 60)
        assert download_messages(postern, ben, "While away") == []
    finally:
        clamd.start()
    firm.retry_now()

    assert refused.refusal.startswith("451 4.7.1")
    wait_until(
        lambda: bool(download_messages(postern, ben, "While away")), "the message", 60
    )


def test_mail_waits_here_while_the_firms_server_is_away(
    firm: Postfix, visit: Visits, postern: Postern, ben: Person
) -> None:
    operator = visit(postern.person("operator"))
    firm.stop()
    try:
        writer = visit(ben)
        writer.write(to=JANE_INSIDE, subject="While you were out", text="Call me.")
        writer.send()
        wait_until(
            lambda: operator.finds("/admin/trace/?kind=deferred", JANE_INSIDE),
            "a first attempt",
            60,
        )
    finally:
        firm.start()

    assert wait_for_message_at_firm(firm, "jane", "While you were out")
