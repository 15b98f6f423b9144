"""A member chooses notices of new mail, and gets one at home."""

from __future__ import annotations

import pytest

from tests.journeys import applying
from tests.journeys.visitor import Person, Visits
from tests.peers.postern import Postern
from tests.peers.swaks import login_options, swaks, tls_options

pytestmark = pytest.mark.journey

HOME = "priya@home.example"


def test_a_member_hears_at_home_that_mail_has_come(
    visit: Visits, postern: Postern, priya: Person, david: Person
) -> None:
    page = visit(priya)
    page.open("/account/everyday-address/change/")
    page.fill(address=HOME)
    page.press("Save")
    page.open("/account/")
    page.follow("Change notices of new mail")
    page.choose(period="at_once")
    page.press("Save")
    assert page.sees(f"Open the link that we sent to {HOME}")

    letter = applying.wait_for_notice(postern, HOME, "confirm your everyday address")
    plain = visit(priya, java_script_enabled=False)
    plain.page.goto(applying.link_in(letter, "/mail/arrival-notices/confirm/"))
    plain.press("Confirm")
    assert plain.sees("Your everyday address is confirmed.")

    text = f"From: {david['address']}\r\nSubject: Privileged\r\n\r\nFor your eyes\r\n"
    sent = swaks(
        postern.ports["submission"],
        *tls_options(postern.ca_file),
        *login_options(david["address"], david["app_password"]),
        sender=david["address"],
        recipient=priya["address"],
        message=text.encode(),
    )
    assert sent.code == 0

    notice = applying.wait_for_notice(postern, HOME, "new mail")
    assert f"{priya['address']}: 1 new message" in notice
    for secret in ("Privileged", "eyes", "david"):
        assert secret not in notice
    assert f"{postern.web}/mail/" in notice.split()
    page.open("/mail/")
    assert page.sees("Privileged")
