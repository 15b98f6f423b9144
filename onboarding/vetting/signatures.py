"""Collects the signature of the terms from the applicant or a signatory."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Person
from onboarding.models import Application, Audience, NoticeKind, Signature, Terms
from onboarding.notices import outbox
from onboarding.vetting import policies
from onboarding.vetting.transitions import lock, notify_officers


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsChoice:
    """Who signs the terms: the applicant on submission, or a signatory by a link.

    `terms_id` is the version that the applicant read and accepted; None for a signatory,
    who reads and signs the current one.
    """

    terms_id: int | None
    signed_here: bool
    name: str
    job_title: str
    address: str


@transaction.atomic
def collect(
    application: Application, choice: TermsChoice, *, by: Person | None
) -> Signature:
    """Records the applicant's own signature, or emails the signatory a link to sign."""
    signature = Signature.objects.create(
        application=application,
        terms_id=choice.terms_id or _current(application).pk,
        name=choice.name,
        job_title=choice.job_title,
        address=choice.address,
    )
    if choice.signed_here:
        _sign(signature, by=by)
    else:
        detail = {"address": choice.address}
        record("application.signatory_asked", application, detail=detail, by=by)
        outbox.add(NoticeKind.SIGN, to=choice.address, about=signature.pk)
    return signature


@transaction.atomic
def replace_signatory(
    application: Application, choice: TermsChoice, *, by: Person | None
) -> Signature:
    """Asks another signatory; the link mailed to the previous one stops working.

    Raises PolicyError once the terms are signed.
    """
    application = lock(application)
    policies.check_can_name_signatory(application)
    application.signatures.filter(signed_at=None).delete()
    return collect(application, choice, by=by)


@transaction.atomic
def sign(signature: Signature, *, by: Person | None) -> None:
    """Records the signatory's acceptance. Raises PolicyError."""
    application = lock(signature.application)
    signature = application.signatures.filter(pk=signature.pk).first() or signature
    policies.check_can_sign(signature)
    _sign(signature, by=by)
    outbox.add(NoticeKind.SIGNED, to=application.everyday_address, about=application.pk)
    notify_officers(application, NoticeKind.ANSWERED)


def _current(application: Application) -> Terms:
    is_sole = application.is_sole_user
    return Terms.objects.current(
        Audience.SOLE_USER if is_sole else Audience.ORGANISATION
    )


def _sign(signature: Signature, *, by: Person | None) -> None:
    signature.signed_at = timezone.now()
    signature.save(update_fields=["signed_at"])
    detail = {
        "terms": str(signature.terms),
        "name": signature.name,
        "address": signature.address,
    }
    record("application.terms_signed", signature.application, detail=detail, by=by)
