"""What a firm's server was refused is found by its administrator, by what the reply says."""

from __future__ import annotations

import re

import pytest

from engine.mail import advice
from tests.journeys.visitor import Visits
from tests.peers.clamd import EICAR
from tests.peers.postern import Postern
from tests.peers.process import wait_until
from tests.peers.swaks import login_options, swaks, tls_options

pytestmark = pytest.mark.journey


def test_the_reference_that_swaks_was_told_opens_the_page(
    visit: Visits, postern: Postern
) -> None:
    firm = next(
        one for one in postern.demo["organisations"] if one["account_type"] == "smtp"
    )
    jane = postern.person("administrator", organisation=firm["name"])
    sender = f"jane@{firm['member_domain']}"
    refused = swaks(
        postern.ports["smtp"],
        *tls_options(postern.ca_file),
        *login_options(firm["connection"]["username"], firm["connection"]["password"]),
        sender=sender,
        recipient="ben@northgate.secure.example",
        message=f"From: {sender}\r\nSubject: Papers\r\n\r\n".encode() + EICAR + b"\r\n",
    )
    [reference] = re.findall(r"our reference ([0-9A-F]{16})\)", refused.refusal)

    visitor = visit(jane)
    visitor.open("/organisation/")
    visitor.follow("Message trace")
    # Refusals are written once a second.
    trace = visitor.page.url.removeprefix(postern.web)
    wait_until(lambda: visitor.finds(trace, "Stopped: a virus"), "the refusal")
    visitor.fill(reference=reference.lower())
    visitor.press("Search")

    plain = visit(jane, java_script_enabled=False)
    plain.open(trace)
    plain.fill(reference=reference)
    plain.press("Search")
    assert plain.sees(advice.VIRUS)
    visitor.page.get_by_role("heading", name=f"Message {reference}").wait_for()
    assert visitor.sees(advice.VIRUS)
    assert visitor.sees("ben@northgate.secure.example")
    visitor.follow("Message trace")
    visitor.follow("See the figures by day")
    assert visitor.sees("The slowest servers")
