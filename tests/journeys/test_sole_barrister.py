"""A barrister who works alone applies for hosted webmail, and reads mail there."""

from __future__ import annotations

import pytest

from tests.journeys import applying
from tests.journeys.visitor import Visits
from tests.peers.postern import Postern

pytestmark = pytest.mark.journey

ZOE = "zoe@everyday.example"


def test_a_sole_barrister_joins_and_signs_in_to_mail(
    visit: Visits, postern: Postern
) -> None:
    zoe = visit()
    applying.begin(zoe, postern, ZOE)
    applying.answer_common(
        zoe,
        organisation="Zoe Pryce",
        kind="barrister",
        sole="yes",
        name="Zoe Pryce",
    )
    zoe.follow("Choose how you will connect")
    zoe.choose(account_type="webmail")
    zoe.press("Save and continue")
    zoe.fill(community_name="pryce")
    zoe.press("Save and continue")
    zoe.follow("Sign the terms")
    applying.sign_and_send(zoe)
    assert zoe.sees("Application complete")
    applying.sponsor_confirms(visit(), postern, "Zoe Pryce")
    officer = visit(postern.person("vetting_officer"))
    applying.officer_approves(officer, "Zoe Pryce")

    welcome = applying.wait_for_notice(postern, ZOE, "can now use")
    assert "/apply/letter/\n" in welcome.replace("\r", "")
    zoe.page.goto(applying.link_in(welcome, "/apply/first-sign-in/"))
    zoe.fill(password="three words together")
    zoe.press("Set password")

    assert zoe.sees("authenticator app")
