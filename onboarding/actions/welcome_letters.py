"""Taking and replacing welcome letters."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.models import Organisation, Person
from onboarding import letters, policies, tasks
from onboarding.models import Letter


@transaction.atomic
def download(letter: Letter, *, address: str | None, by: Person | None) -> bytes:
    """The letter as PDF, and a note of who took it, when, and from which IP address.

    by=None took it by its link, which ends with that. Raises PolicyError.
    """
    letter = Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
    policies.check_can_download(letter, by_link=by is None)
    pdf = letters.read(letter)
    if letter.downloaded_at is None:
        letter.downloaded_at, letter.downloaded_by = timezone.now(), by
        letter.downloaded_from = address
        letter.save()
    detail = {"from": address or ""}
    record(
        "letter.downloaded",
        letter,
        organisation_key=letter.organisation_id,
        detail=detail,
        by=by,
    )
    return pdf


@transaction.atomic
def reissue(organisation: Organisation, *, by: Person) -> Letter:
    """Have another letter written, with a new credential where there is one.

    The credential of the letter before goes on working for a while, so that the server
    can change over. Raises PolicyError.
    """
    policies.check_can_reissue(organisation)
    last = organisation.letters.select_for_update(of=("self",)).latest("id")
    letter = Letter.objects.create(
        application=last.application, organisation=organisation
    )
    record("letter.reissued", letter, organisation_key=organisation.pk, by=by)
    tasks.start_letter(letter.pk)
    return letter
