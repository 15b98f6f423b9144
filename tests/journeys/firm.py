"""A firm with its own mail server: its application and its welcome letter."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from tests.journeys import applying
from tests.journeys.visitor import Visitor
from tests.peers.postern import Postern

NAME = "Firm Solicitors"
JANE = "jane@firm.example"
JANE_INSIDE = "jane@firm.example.secure.example"
EVERYDAY = "jane@everyday.example"


@dataclass(frozen=True)
class Letter:
    """The welcome letter and the values printed in it."""

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


def apply(visitor: Visitor, postern: Postern, port: int) -> None:
    """Fills in and submits the application for the firm's own server."""
    applying.begin(visitor, postern, EVERYDAY)
    applying.answer_common(
        visitor,
        organisation=NAME,
        kind="law_firm",
        sole="no",
        name="Jane Marsh",
    )
    visitor.follow("Name a second administrator")
    visitor.fill(
        second_name="Ravi Shah",
        second_job_title="Partner",
        second_address="ravi@everyday.example",
    )
    visitor.press("Save and continue")
    visitor.follow("Choose how you will connect")
    visitor.choose(account_type="smtp")
    visitor.press("Save and continue")
    visitor.fill(
        member_domain="firm.example",
        next_hop_host="localhost",
        next_hop_port=str(port),
    )
    visitor.choose(proof="credential")
    visitor.press("Save and continue")
    visitor.follow("Sign the terms")
    visitor.choose(signer="me")
    visitor.press("Save and continue")
    applying.sign_and_send(visitor)
