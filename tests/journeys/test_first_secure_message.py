"""From a stranger's application to secure mail both ways, with nothing but real parts."""

from __future__ import annotations

import email
import email.message
import email.utils
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from portal.demo.certificates import Authority
from tests.engine.antivirus import specimens
from tests.engine.antivirus.specimens import forwarded, zipped
from tests.journeys.conftest import Visitor
from tests.peers import mpop
from tests.peers.clamd import EICAR, Clamd
from tests.peers.postern import Postern
from tests.peers.postfix import Postfix
from tests.peers.process import free_port, wait_until
from tests.peers.swaks import Conversation, signed_in, swaks, tls

pytestmark = pytest.mark.journey

JANE = "jane@firm.example"
JANE_INSIDE = "jane@firm.example.secure.example"


@dataclass(frozen=True)
class Letter:
    """The welcome letter, and the values that somebody reads off it."""

    pdf: bytes
    host: str
    port: int
    username: str
    password: str
    authority_url: str


def text_of(pdf: bytes) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    )
    return done.stdout.decode()


def read_letter(pdf: bytes) -> Letter:
    text = text_of(pdf)

    def value(label: str) -> str:
        found = re.search(rf"^\s*{label}\s{{2,}}(\S+)", text, re.MULTILINE)
        assert found, f"{label} is not in the letter:\n{text}"
        return found[1]

    return Letter(
        pdf=pdf,
        host=value("Server"),
        port=int(value("Port")),
        username=value("User name"),
        password=value("Password"),
        authority_url=value("Download"),
    )


def notice_to(postern: Postern, address: str, subject: str) -> str:
    """The text of a notice that went to somebody's everyday address."""

    def found() -> list[str]:
        texts = []
        for path in sorted((postern.folder / "outbox").glob("*.eml")):
            message = email.message_from_bytes(path.read_bytes())
            if address in message["To"] and subject in " ".join(
                message["Subject"].split()
            ):
                texts.append(message.get_payload(decode=True).decode())
        return texts

    wait_until(lambda: bool(found()), f"a notice to {address} about {subject}", 60)
    return found()[-1]


def link_in(text: str, part: str) -> str:
    found = re.search(rf"http://\S+{part}\S+", text)
    assert found, text
    return found[0]


def apply(visitor: Visitor, port: int) -> None:
    """A stranger fills in the application for the firm's own server."""
    visitor.open("/")
    visitor.follow("Apply to join")
    visitor.press("Start now")
    visitor.fill(organisation_name="Firm Solicitors", town="Leeds")
    visitor.choose(kind="law_firm", is_sole_user="no")
    visitor.press("Continue")
    visitor.choose(account_type="smtp")
    visitor.press("Continue")
    visitor.fill(
        member_domain="firm.example",
        next_hop_host="localhost",
        next_hop_port=str(port),
    )
    visitor.choose(proof="credential")
    visitor.press("Continue")
    visitor.fill(
        applicant_name="Jane Marsh",
        applicant_job_title="Partner",
        applicant_phone="0113 496 0000",
        everyday_address="jane@everyday.example",
    )
    visitor.press("Continue")
    visitor.press("Confirm and apply")


@pytest.fixture(scope="module")
def firm_port() -> int:
    """Where the firm's own server will hear SMTP."""
    return free_port()


@pytest.fixture(scope="module")
def letter(browser: Browser, postern: Postern, firm_port: int) -> Letter:
    """The firm applies, an officer approves, and the letter is fetched by its link."""
    stranger = Visitor(browser.new_context(accept_downloads=True), postern)
    apply(stranger, firm_port)
    assert stranger.sees("reference")

    officer = Visitor(browser.new_context(), postern)
    officer.sign_in(postern.person("vetting_officer"))
    officer.open("/admin/applications/")
    officer.follow("Firm Solicitors")
    officer.follow("Approve")
    officer.fill(reason="On the register of law firms; called back.")
    officer.press("Approve")

    tracker = link_in(
        notice_to(postern, "jane@everyday.example", "We have your application"),
        "/apply/progress/",
    )
    welcome = notice_to(postern, "jane@everyday.example", "can now use")
    stranger.page.goto(tracker)
    assert stranger.sees("Your account is ready")
    stranger.page.goto(link_in(welcome, "/apply/letter/"))
    with stranger.page.expect_download() as download:
        stranger.press("Download the letter (PDF)")
    pdf = Path(download.value.path()).read_bytes()
    return read_letter(pdf)


@pytest.fixture(scope="module")
def firm(
    letter: Letter,
    postern: Postern,
    firm_port: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Postfix]:
    """The firm's Postfix, told only what the letter says."""
    authority_file = tmp_path_factory.mktemp("firm") / "postern-ca.pem"
    with urllib.request.urlopen(letter.authority_url) as answer:
        authority_file.write_bytes(answer.read())
    own = Authority(postern.folder / "tls").issue("mail.firm.example", "localhost")
    server = Postfix(
        "firm.example",
        "jane",
        cert_file=own.cert_file,
        key_file=own.key_file,
        options={"message_size_limit": "52428800", "minimal_backoff_time": "1s"},
    )
    server.port = firm_port
    server.relay_through(
        letter.host,
        letter.port,
        username=letter.username,
        password=letter.password,
        ca_file=authority_file,
    )
    with server:
        yield server


@pytest.fixture(scope="module")
def ben(postern: Postern) -> dict[str, str]:
    """A member whose mailbox is kept here."""
    return postern.person("member", address="ben@northgate.secure.example")


def written_to(ben: dict[str, str], subject: str, pdf: bytes = b"") -> bytes:
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


def downloaded(postern: Postern, ben: dict[str, str], subject: str) -> list[bytes]:
    """What Ben's mail client has of that subject, fetched over TLS."""
    messages = mpop.download(
        postern.ports["pop3s"],
        username=ben["address"],
        password=ben["app_password"],
        ca_file=postern.ca_file,
    )
    return [
        raw for raw in messages if email.message_from_bytes(raw)["Subject"] == subject
    ]


def test_the_letter_is_tagged_and_names_the_firm(letter: Letter) -> None:
    assert "Firm Solicitors has joined" in text_of(letter.pdf)
    facts = subprocess.run(
        ["pdfinfo", "-"], input=letter.pdf, capture_output=True, check=True
    )
    assert re.search(r"Tagged:\s+yes", facts.stdout.decode())


def test_mail_both_ways_between_a_firms_own_server_and_a_hosted_user(
    firm: Postfix,
    letter: Letter,
    visitor: Visitor,
    postern: Postern,
    ben: dict[str, str],
) -> None:
    firm.send(
        written_to(ben, "The bundle", letter.pdf),
        sender=JANE,
        recipients=[ben["address"]],
    )
    wait_until(lambda: bool(downloaded(postern, ben, "The bundle")), "the bundle")

    visitor.sign_in(ben)
    visitor.open("/mail/")
    visitor.follow("The bundle")
    assert visitor.sees(JANE_INSIDE)
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download bundle.pdf").press("Enter")
    assert Path(download.value.path()).read_bytes() == letter.pdf

    visitor.follow("Reply")
    visitor.fill(text="Received with thanks.")
    visitor.press("Send")

    [reply] = firm.wait_for_messages("jane")
    parsed = email.message_from_bytes(reply)
    assert parsed["Subject"] == "Re: The bundle"
    assert ben["address"] in parsed["From"]
    assert b"Received with thanks." in reply
    assert "with ESMTPS" in parsed.get_all("Received")[0]


def test_a_mail_client_downloads_the_same_message_with_an_app_password(
    firm: Postfix, letter: Letter, postern: Postern, ben: dict[str, str]
) -> None:
    firm.send(
        written_to(ben, "For mpop", letter.pdf),
        sender=JANE,
        recipients=[ben["address"]],
    )
    wait_until(lambda: bool(downloaded(postern, ben, "For mpop")), "the message")

    [raw] = downloaded(postern, ben, "For mpop")
    message = email.message_from_bytes(raw)
    [pdf] = [part for part in message.walk() if part.get_filename() == "bundle.pdf"]
    assert f"<{JANE_INSIDE}>" in message["From"]
    assert pdf.get_payload(decode=True) == letter.pdf


@dataclass
class Attempt:
    """What swaks tries, where everything but one thing is right."""

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
        options = tls(self.postern.ca_file) if is_encrypted else []
        if is_signed_in and is_encrypted:
            options += signed_in(self.letter.username, self.letter.password)
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
def attempt(postern: Postern, letter: Letter, ben: dict[str, str]) -> Attempt:
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
    attempt: Attempt, firm: Postfix, clamd: Clamd, postern: Postern, ben: dict[str, str]
) -> None:
    clamd.stop()
    try:
        refused = attempt()
        firm.send(
            written_to(ben, "While away"), sender=JANE, recipients=[ben["address"]]
        )
        wait_until(lambda: "451 4.7.1" in firm.log(), "a reply of 451", 60)
        assert downloaded(postern, ben, "While away") == []
    finally:
        clamd.start()
    firm.retry_now()

    assert refused.refusal.startswith("451 4.7.1")
    wait_until(lambda: bool(downloaded(postern, ben, "While away")), "the message", 60)


def test_mail_waits_here_while_the_firms_server_is_away(
    firm: Postfix, visitor: Visitor, ben: dict[str, str]
) -> None:
    before = len(firm.messages("jane"))
    firm.stop()
    try:
        visitor.sign_in(ben)
        visitor.open("/mail/write/")
        visitor.fill(to=JANE_INSIDE, subject="While you were out", text="Call me.")
        visitor.press("Send")
        visitor.page.wait_for_timeout(2_000)
    finally:
        firm.start()

    def has_arrived() -> bool:
        return len(firm.messages("jane")) > before

    wait_until(has_arrived, "the message at the firm", 150)
    assert b"While you were out" in firm.messages("jane")[-1]
