from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.registry.actions import organisations
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation
from onboarding.applying import applications
from onboarding.models import SponsorshipStatus
from onboarding.vetting import sponsors
from tests.onboarding.conftest import RUTH


def addressees(mails: list[Any]) -> list[str]:
    return [mail.to[0] for mail in mails]


@pytest.mark.parametrize(
    ("address", "is_eligible"),
    [
        ("ruth@fenland.police.example", True),
        ("clerk@northfield.secure.example", True),
        ("clerk@harbour.secure.example", False),
        ("jane@firm.example", False),
        ("anybody@stranger.example", False),
    ],
)
def test_public_bodies_and_trusted_domains_may_vouch(
    fenland: Organisation,
    northfield: Organisation,
    harbour: Organisation,
    firm: Organisation,
    address: str,
    is_eligible: bool,
) -> None:
    assert bool(sponsors.find_sponsor_organisation(address)) == is_eligible


def test_a_suspended_member_vouches_for_nobody(fenland: Organisation) -> None:
    organisations.suspend(fenland, reason="Unpaid.", by=None)

    assert sponsors.find_sponsor_organisation(RUTH.address) is None


def test_somebody_outside_is_not_mailed_and_the_applicant_cannot_tell(
    submit_application: Any, delivered_emails: Any
) -> None:
    outsider = replace(RUTH, address="ruth@stranger.example")

    application = submit_application(sponsor=outsider)

    assert "ruth@stranger.example" not in addressees(delivered_emails())
    assert application.sponsorships.get().status == SponsorshipStatus.ASKED


def test_a_sponsor_answers_once(
    submit_application: Any, delivered_emails: Any, fenland: Any
) -> None:
    asked = submit_application().sponsorships.get()
    delivered_emails().clear()

    sponsors.confirm(asked, by=None)

    assert "jane@firm.example" in addressees(delivered_emails())
    with pytest.raises(PolicyError, match="already been answered"):
        sponsors.decline(asked, reason="No.", by=None)


def test_why_a_sponsor_declines_is_for_the_officer(
    submit_application: Any, delivered_emails: Any, fenland: Any
) -> None:
    asked = submit_application().sponsorships.get()

    sponsors.decline(asked, reason="Never heard of them.", by=None)

    asked.refresh_from_db()
    assert asked.reason == "Never heard of them."
    assert all("Never heard" not in mail.body for mail in delivered_emails())
    with pytest.raises(PolicyError, match="reason"):
        sponsors.decline(asked, reason=" ", by=None)


def test_another_sponsor_takes_the_place_of_the_first(
    submit_application: Any, fenland: Any
) -> None:
    application = submit_application()
    first = application.sponsorships.get()

    second = sponsors.ask(application, replace(RUTH, name="Sam Ward"), by=None)

    with pytest.raises(PolicyError):
        sponsors.confirm(first, by=None)
    sponsors.confirm(second, by=None)
    with pytest.raises(PolicyError, match="already confirmed"):
        sponsors.ask(application, RUTH, by=None)


def test_nobody_vouches_for_what_was_withdrawn(
    submit_application: Any, fenland: Any
) -> None:
    application = submit_application()
    asked = application.sponsorships.get()
    applications.withdraw(application, by=None)

    with pytest.raises(PolicyError):
        sponsors.confirm(asked, by=None)
