from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from engine.registry.models import AccountType, Kind, Person, Proof
from onboarding import actions, provisioning
from onboarding.claims import Claims
from onboarding.models import Application

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
}
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
    """Letters of one test are not seen by another."""
    ours = django_settings.POSTERN
    before, ours.var = ours.var, tmp_path
    yield
    ours.var = before


@pytest.fixture
def apply(db: None) -> Apply:
    """An application of a firm with its own mail server, any claim overridable."""

    def make(**over: Any) -> Application:
        return actions.submit(Claims(**(FIRM | over)), by=None)

    return make


@pytest.fixture
def approve(vera: Person) -> Callable[[Application], Application]:
    def decide(application: Application) -> Application:
        return actions.approve(
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
