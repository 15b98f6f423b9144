"""Having the terms signed."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Person
from onboarding import policies
from onboarding.actions.moving import locked
from onboarding.models import Application, Audience, NoticeKind, Signature, Terms
from onboarding.notices.promise import promise
from onboarding.sending import TermsChoice


@transaction.atomic
def take(
    application: Application, choice: TermsChoice, *, by: Person | None
) -> Signature:
    """Take the applicant's own signature, or ask whoever may sign for it."""
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
        promise(NoticeKind.SIGN, to=choice.address, about=signature.pk)
    return signature


@transaction.atomic
def sign(signature: Signature, *, by: Person | None) -> None:
    """The signatory accepts, by the link in the mail. Raises PolicyError."""
    locked(signature.application)
    signature = Signature.objects.select_for_update(of=("self",)).get(pk=signature.pk)
    policies.check_can_sign(signature)
    _sign(signature, by=by)


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
