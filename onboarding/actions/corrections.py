"""Putting right what an applicant got wrong, with the reason written down."""

from __future__ import annotations

from typing import TypedDict, Unpack

from django.db import transaction

from engine.audit.record import record
from engine.registry.models import Person
from engine.registry.verbs import apply
from onboarding import policies
from onboarding.actions.moving import locked
from onboarding.models import Application


class Corrections(TypedDict, total=False):
    """What staff may correct before a decision."""

    organisation_name: str
    town: str
    member_domain: str
    next_hop_host: str
    next_hop_port: int
    source_networks: list[str]
    certificate_name: str
    tenant_id: str


@transaction.atomic
def correct(
    application: Application,
    *,
    reason: str,
    by: Person,
    **changes: Unpack[Corrections],
) -> None:
    """Change claims as agreed with the applicant. Raises PolicyError."""
    application = locked(application)
    policies.check_is_open(application)
    policies.check_reason(reason)
    changed = apply(application, changes)
    if changed:
        detail = {**changed, "reason": reason.strip()}
        record("application.corrected", application, detail=detail, by=by)
