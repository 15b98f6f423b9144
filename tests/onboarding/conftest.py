from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.cache import cache

from engine.registry.models import AccountType, Kind, Organisation, Person, Proof
from onboarding.applying import applications
from onboarding.applying.claims import Claims
from onboarding.models import Application, Audience, Terms
from onboarding.notices import delivery as notices
from onboarding.provisioning import runner
from onboarding.vetting import decisions, sponsors
from onboarding.vetting.signatures import TermsChoice
from onboarding.vetting.sponsors import NamedSponsor
from tests import factories

FIRM = {
    "organisation_name": "Firm Solicitors",
    "kind": Kind.LAW_FIRM,
    "town": "Leeds",
    "account_type": AccountType.SMTP,
    "member_domain": "firm.example",
    "community_domain": "firm.example.secure.example",
    "next_hop_host": "mail.firm.example",
    "next_hop_port": 25,
    "proof": Proof.CREDENTIAL,
    "applicant_name": "Jane Doe",
    "applicant_job_title": "Practice manager",
    "applicant_phone": "020 7946 0018",
    "everyday_address": "jane@firm.example",
    "second_name": "Ravi Shah",
    "second_job_title": "Partner",
    "second_address": "ravi@firm.example",
}
RUTH = NamedSponsor(
    name="Ruth Cole",
    organisation_name="Fenland Police",
    address="ruth@fenland.police.example",
)
HOSTED = {
    "account_type": AccountType.WEBMAIL,
    "member_domain": "northfield.example",
    "community_domain": "northfield.secure.example",
    "next_hop_host": "",
    "proof": "",
    "everyday_address": "jane@northfield.example",
}

Apply = Callable[..., Application]


@pytest.fixture(autouse=True)
def state_of_its_own(tmp_path: Path) -> Iterator[None]:
    """Isolates the letters and rate limits of each test."""
    ours = django_settings.POSTERN
    before, ours.var = ours.var, tmp_path
    cache.clear()
    yield
    ours.var = before


@pytest.fixture
def fenland(db: None) -> Organisation:
    """A member whose people may sponsor: a police force with a trusted domain."""
    organisation = factories.make_organisation(
        name="Fenland Police", kind=Kind.POLICE, account_type=AccountType.TRUSTED_DOMAIN
    )
    factories.make_domain(organisation, "fenland.police.example")
    return organisation


@pytest.fixture
def submit_application(db: None) -> Apply:
    """Submits an application of a firm with its own mail server; claims can be overridden.

    Its sponsor has not answered, unless `sponsor` says that there is none.
    """

    def make(
        *,
        sponsor: NamedSponsor | None = RUTH,
        signing: TermsChoice | None = None,
        **over: Any,
    ) -> Application:
        facts = FIRM | over
        draft = Application.objects.create(
            everyday_address=facts.pop("everyday_address")
        )
        return applications.submit(
            draft,
            Claims(**facts),
            sponsor=sponsor,
            signing=signing or signed_by(draft, facts),
            by=None,
        )

    return make


@pytest.fixture
def apply(submit_application: Apply) -> Apply:
    """Submits an application that lacks only an officer's decision."""

    def make(**over: Any) -> Application:
        application = submit_application(**over)
        for asked in application.sponsorships.all():
            sponsors.confirm(asked, by=None)
        return application

    return make


def signed_by(draft: Application, facts: dict[str, Any]) -> TermsChoice:
    """Returns the applicant's signature of the current terms."""
    is_sole = facts.get("is_sole_user")
    audience = Audience.SOLE_USER if is_sole else Audience.ORGANISATION
    return TermsChoice(
        terms_id=Terms.objects.current(audience).pk,
        signed_here=True,
        name=facts["applicant_name"],
        job_title=facts["applicant_job_title"],
        address=draft.everyday_address,
    )


@pytest.fixture
def approve(vera: Person) -> Callable[[Application], Application]:
    def decide(application: Application) -> Application:
        return decisions.approve(
            application,
            reason="On the public register.",
            community_domain=application.community_domain,
            by=vera,
        )

    return decide


@pytest.fixture
def provisioned(apply: Apply, approve: Any) -> Apply:
    """Submits, approves and provisions an application."""

    def make(**over: Any) -> Application:
        application = approve(apply(**over))
        runner.run(application.pk)
        application.refresh_from_db()
        return application

    return make


@pytest.fixture
def delivered_emails(db: None) -> Callable[[], list[Any]]:
    """Delivers the notices due and returns all emails so far."""

    def deliver() -> list[Any]:
        notices.send_due()
        return mail.outbox

    return deliver


def link_in(body: str, part: str) -> str:
    """Returns the path of the link in an email."""
    found = re.search(rf"http://[^/\s]+(/apply/{part}/\S+)", body)
    assert found, body
    return found[1]
