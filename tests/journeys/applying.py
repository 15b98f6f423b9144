"""Applying to join, and a sponsor's confirmation, by the pages alone."""

from __future__ import annotations

import email
import re

from tests.journeys.visitor import Visitor
from tests.peers import mpop
from tests.peers.postern import Postern
from tests.peers.process import wait_until

SPONSOR = "alice@northgate.secure.example"

# A job of each minute sends some notices, and the worker looks for due jobs every half
# minute: together with the sending that may take a minute and a half.
PATIENCE = 150


def wait_for_notice(postern: Postern, address: str, subject: str) -> str:
    """Waits for a notice to an everyday address and returns the text of the newest."""

    def found() -> list[str]:
        texts = []
        for path in sorted((postern.folder / "outbox").glob("*.eml")):
            message = email.message_from_bytes(path.read_bytes())
            if address in message["To"] and subject in " ".join(
                message["Subject"].split()
            ):
                texts.append(message.get_payload(decode=True).decode())
        return texts

    wait_until(
        lambda: bool(found()), f"a notice to {address} about {subject}", PATIENCE
    )
    return found()[-1]


def link_in(text: str, part: str) -> str:
    found = re.search(rf"http://\S+{part}\S+", text)
    assert found, text
    return found[0]


def begin(visitor: Visitor, postern: Postern, address: str) -> None:
    """Goes from the home page to the task list by the link in the email."""
    visitor.open("/")
    visitor.follow("Apply to join")
    visitor.press("Start now")
    visitor.choose(work="law")
    visitor.press("Continue")
    visitor.fill(address=address)
    visitor.press("Send me a link")
    mail = wait_for_notice(postern, address, "Your application to join")
    visitor.page.goto(link_in(mail, "/apply/link/"))
    visitor.press("Continue")


def answer_common(
    visitor: Visitor, *, organisation: str, kind: str, sole: str, name: str
) -> None:
    """Completes the tasks that every applicant has."""
    visitor.follow("Tell us about your organisation")
    visitor.fill(organisation_name=organisation, town="Leeds")
    visitor.choose(kind=kind, is_sole_user=sole)
    visitor.press("Save and continue")
    visitor.follow("Tell us about yourself")
    visitor.fill(
        applicant_name=name,
        applicant_job_title="Partner",
        applicant_phone="0113 496 0000",
    )
    visitor.press("Save and continue")
    visitor.follow("Name your sponsor")
    visitor.fill(
        sponsor_name="Alice Marsh",
        sponsor_organisation="Northgate Crown Court",
        sponsor_address=SPONSOR,
    )
    visitor.press("Save and continue")


def sign_and_send(visitor: Visitor) -> None:
    visitor.page.check("[name=agree]")
    visitor.press("Accept the terms")
    visitor.press("Check your answers")
    visitor.press("Confirm and apply")


def sponsor_confirms(visitor: Visitor, postern: Postern, organisation: str) -> None:
    """Reads the sponsor's email in a mail program, follows its link and confirms."""
    alice = postern.person("administrator", address=SPONSOR)

    def asked() -> list[str]:
        messages = mpop.download(
            postern.ports["pop3s"],
            username=alice["address"],
            password=alice["app_password"],
            ca_file=postern.ca_file,
        )
        texts = [email.message_from_bytes(raw) for raw in messages]
        return [
            str(message.get_payload(decode=True), "utf-8")
            for message in texts
            if f"{organisation} names you" in " ".join(message["Subject"].split())
        ]

    wait_until(lambda: bool(asked()), "a mail to the sponsor", 90)
    visitor.page.goto(link_in(asked()[-1], "/apply/sponsor/"))
    visitor.choose(answer="confirm")
    visitor.press("Send your answer")
    assert visitor.sees("Thank you for your answer")


def officer_approves(visitor: Visitor, organisation: str) -> None:
    visitor.open("/admin/applications/")
    visitor.follow(organisation)
    visitor.follow("Approve")
    visitor.fill(reason="On the register; called back.")
    visitor.press("Approve")
