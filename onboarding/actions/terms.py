"""Having the terms signed."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Person
from onboarding import policies
from onboarding.actions.moving import locked, tell_officers
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
        detail = {"address": choice.address}
        record("application.signatory_asked", application, detail=detail, by=by)
        promise(NoticeKind.SIGN, to=choice.address, about=signature.pk)
    return signature


@transaction.atomic
def ask_another(
    application: Application, choice: TermsChoice, *, by: Person | None
) -> Signature:
    """Ask somebody in the place of whoever was asked and has not signed.

    The link that was mailed before opens nothing any more. Raises PolicyError.
    """
    application = locked(application)
    policies.check_can_name_signatory(application)
    application.signatures.filter(signed_at=None).delete()
    return take(application, choice, by=by)


@transaction.atomic
def sign(signature: Signature, *, by: Person | None) -> None:
    """The signatory accepts, by the link in the mail. Raises PolicyError."""
    application = locked(signature.application)
    signature = application.signatures.filter(pk=signature.pk).first() or signature
    policies.check_can_sign(signature)
    _sign(signature, by=by)
    promise(NoticeKind.SIGNED, to=application.everyday_address, about=application.pk)
    tell_officers(application, NoticeKind.ANSWERED)


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
