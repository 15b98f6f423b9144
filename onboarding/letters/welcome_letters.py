"""Downloads and replaces welcome letters."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from onboarding import tasks
from onboarding.letters import letter_files
from onboarding.models import Letter
from onboarding.predicates import as_predicate


@transaction.atomic
def download(letter: Letter, *, address: str | None, by: Person | None) -> bytes:
    """Returns the letter as PDF, and records who downloaded it, when, and from where.

    `address` is the client's IP address. `by=None` is a download by the mailed link,
    which works once. Raises PolicyError.
    """
    letter = Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
    check_can_download(letter, by_link=by is None)
    pdf = letter_files.read(letter)
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
    """Requests another letter, with a new credential if the connection uses one.

    The previous credential keeps working for housekeeping.OVERLAP, so that the mail
    server can change over. Raises PolicyError.
    """
    check_can_reissue(organisation)
    last = organisation.letters.select_for_update(of=("self",)).latest("id")
    letter = Letter.objects.create(
        application=last.application, organisation=organisation
    )
    record("letter.reissued", letter, organisation_key=organisation.pk, by=by)
    tasks.start_letter(letter.pk)
    return letter


def check_can_download(letter: Letter, *, by_link: bool) -> None:
    """Refuses a letter without a file, or the second use of its link."""
    if not letter.is_readable:
        raise PolicyError("We no longer keep this letter. Get a new one.")
    if by_link and letter.downloaded_at is not None:
        raise PolicyError("This link has been used. Sign in to see your letter.")


def check_can_reissue(organisation: Organisation) -> None:
    """Refuses a new letter while one is being written, or if there never was one."""
    letters = organisation.letters.all()
    if not letters:
        raise PolicyError("This organisation has no welcome letter.")
    if letters[0].file_name is None:
        raise PolicyError(
            "We are already preparing a new letter. We will email you when it is ready."
        )


can_reissue = as_predicate(check_can_reissue)
