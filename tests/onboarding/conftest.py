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
from onboarding import provisioning
from onboarding.actions import applying, desk, sponsors
from onboarding.claims import Claims
from onboarding.models import Application, Audience, Terms
from onboarding.notices import deliver as notices
from onboarding.sending import SponsorNamed, TermsChoice
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
RUTH = SponsorNamed(
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
    """Letters and counts of one test are not seen by another."""
    ours = django_settings.POSTERN
    before, ours.var = ours.var, tmp_path
    cache.clear()
    yield
    ours.var = before


@pytest.fixture
def fenland(db: None) -> Organisation:
    """A member that may vouch for others: police, at a trusted domain."""
    organisation = factories.make_organisation(
        name="Fenland Police", kind=Kind.POLICE, account_type=AccountType.TRUSTED_DOMAIN
    )
    factories.make_domain(organisation, "fenland.police.example")
    return organisation


@pytest.fixture
def send_in(db: None) -> Apply:
    """A firm with its own mail server applies, any claim overridable.

    Its sponsor has not answered, unless `sponsor` says that there is none.
    """

    def make(
        *,
        sponsor: SponsorNamed | None = RUTH,
        signing: TermsChoice | None = None,
        **over: Any,
    ) -> Application:
        facts = FIRM | over
        draft = Application.objects.create(
            everyday_address=facts.pop("everyday_address")
        )
        return applying.submit(
            draft,
            Claims(**facts),
            sponsor=sponsor,
            signing=signing or signed_by(draft, facts),
            by=None,
        )

    return make


@pytest.fixture
def apply(send_in: Apply) -> Apply:
    """An application that lacks only an officer's decision, any claim overridable."""

    def make(**over: Any) -> Application:
        application = send_in(**over)
        for asked in application.sponsorships.all():
            sponsors.confirm(asked, by=None)
        return application

    return make


def signed_by(draft: Application, facts: dict[str, Any]) -> TermsChoice:
    """The applicant signs the current terms."""
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
        return desk.approve(
            application,
            reason="On the public register.",
            community_domain=application.community_domain,
            by=vera,
        )

    return decide


@pytest.fixture
def provisioned(apply: Apply, approve: Any) -> Apply:
    """An application that was approved and wholly set up."""

    def make(**over: Any) -> Application:
        application = approve(apply(**over))
        provisioning.run(application.pk)
        application.refresh_from_db()
        return application

    return make


@pytest.fixture
def sent(db: None) -> Callable[[], list[Any]]:
    """What a worker sends now: every mail so far, after all that was promised."""

    def deliver() -> list[Any]:
        notices.deliver_all()
        return mail.outbox

    return deliver


def link_in(body: str, part: str) -> str:
    """The path of the link in a mail."""
    found = re.search(rf"http://[^/\s]+(/apply/{part}/\S+)", body)
    assert found, body
    return found[1]
