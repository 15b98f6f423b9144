from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import AccountType, Organisation, Person, RoleName
from onboarding import one_time_links, rate_limits
from onboarding.applying import applications
from onboarding.models import Application, Link, LinkPurpose, Notice
from onboarding.signed_links import ExpiredLinkError, ForgedLinkError
from onboarding.status import Status
from tests import factories
from tests.onboarding.conftest import link_in


def token_of(mail: Any) -> str:
    return link_in(mail.body, "link").strip("/").rpartition("/")[2]


def test_a_link_begins_one_application(delivered_emails: Any, db: None) -> None:
    applications.request_link("jane@firm.example")
    token = token_of(delivered_emails()[0])

    application = applications.open_link(token)

    assert application.status == Status.DRAFT
    assert application.everyday_address == "jane@firm.example"
    with pytest.raises(ExpiredLinkError):
        applications.open_link(token)
    assert Application.objects.count() == 1


def test_a_link_ends_after_a_day(delivered_emails: Any, db: None) -> None:
    applications.request_link("jane@firm.example")
    token = token_of(delivered_emails()[0])
    Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(ExpiredLinkError):
        applications.open_link(token)


def test_a_link_is_kept_as_a_digest_only(delivered_emails: Any, db: None) -> None:
    applications.request_link("jane@firm.example")
    token = token_of(delivered_emails()[0])

    assert token not in str(list(Link.objects.values()))
    assert token not in str(list(Notice.objects.values()))


def test_a_link_for_one_purpose_serves_no_other(db: None) -> None:
    token = one_time_links.create(
        LinkPurpose.SPONSOR, address="ruth@fenland.police.example"
    )

    with pytest.raises(ForgedLinkError):
        applications.open_link(token)


def test_an_applicant_gets_a_link_to_return(
    delivered_emails: Any, submit_application: Any
) -> None:
    application = submit_application()
    delivered_emails().clear()

    applications.request_link("Jane@firm.example")

    [mail] = delivered_emails()
    assert application.reference in mail.body
    assert applications.open_link(token_of(mail)) == application


@pytest.mark.parametrize("address", ["new@firm.example", "new@stranger.example"])
def test_an_address_gets_one_mail_whatever_we_know(
    delivered_emails: Any, firm: Organisation, address: str
) -> None:
    applications.request_link(address)

    [mail] = delivered_emails()
    assert mail.to == [address]
    assert mail.subject == "Your application to join"


def test_only_the_mail_says_that_the_organisation_is_a_member(
    delivered_emails: Any, firm: Organisation
) -> None:
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_administrator(jane)

    applications.request_link("new@firm.example")
    applications.request_link("new@stranger.example")

    member, stranger = delivered_emails()
    assert "Firm Solicitors is already a member" in member.body
    assert "Jane" in member.body
    assert "already" not in stranger.body


def test_only_the_mail_says_that_somebody_has_applied(
    delivered_emails: Any, submit_application: Any
) -> None:
    application = submit_application()
    delivered_emails().clear()

    applications.request_link("other@firm.example")

    [mail] = delivered_emails()
    assert "Jane Doe has applied for an organisation" in mail.body
    assert application.reference in mail.body


def test_a_shared_domain_tells_nothing(
    delivered_emails: Any, submit_application: Any
) -> None:
    submit_application(everyday_address="jane@gmail.com", member_domain="gmail.com")
    delivered_emails().clear()

    applications.request_link("other@gmail.com")

    assert "already" not in delivered_emails()[0].body


def test_one_address_is_not_flooded(delivered_emails: Any, db: None) -> None:
    for _ in range(rate_limits.LINKS_TO_ADDRESS + 3):
        applications.request_link("victim@firm.example")

    assert len(delivered_emails()) == rate_limits.LINKS_TO_ADDRESS


def test_sending_in_tells_the_applicant_the_officers_and_the_sponsor(
    submit_application: Any,
    delivered_emails: Any,
    vera: Person,
    olive: Person,
    fenland: Organisation,
) -> None:
    vera.everyday_address = "vera@everyday.example"
    vera.save()
    silent = factories.make_person("w@secure.example")
    factories.make_staff(silent, RoleName.VETTING_OFFICER)

    application = submit_application()

    to_sponsor, to_applicant, to_officer = delivered_emails()
    assert to_sponsor.to == ["ruth@fenland.police.example"]
    assert "/apply/sponsor/" in to_sponsor.body
    assert to_applicant.to == ["jane@firm.example"]
    assert application.reference in to_applicant.subject
    assert to_officer.to == ["vera@everyday.example"]
    assert "Firm Solicitors" in to_officer.body


def test_an_officer_with_a_mailbox_is_told_there(
    submit_application: Any, delivered_emails: Any, alice: Person
) -> None:
    factories.make_staff(alice, RoleName.VETTING_OFFICER)

    submit_application()

    assert [alice.address] in [mail.to for mail in delivered_emails()]


def test_a_duplicate_is_taken_in_like_any_other(submit_application: Any) -> None:
    first, second = submit_application(), submit_application()

    assert second.status == Status.SUBMITTED
    assert list(Application.objects.like(second)) == [first]


def test_an_application_is_sent_in_once(submit_application: Any) -> None:
    application = submit_application()

    with pytest.raises(PolicyError, match="already been submitted"):
        applications.save_draft(application, {})


def test_withdrawing_ends_it_for_the_desk(submit_application: Any) -> None:
    application = submit_application(account_type=AccountType.WEBMAIL)

    applications.withdraw(application, by=None)

    assert not Application.objects.waiting().exists()
    application.refresh_from_db()
    with pytest.raises(PolicyError, match="withdrawn"):
        applications.withdraw(application, by=None)
