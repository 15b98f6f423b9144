"""What onboarding clears away by the clock."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from engine import slices
from engine.audit.record import record
from engine.registry.actions import connections
from engine.registry.models import ConnectionCredential
from onboarding import letters
from onboarding.models import Application, Letter, Link
from onboarding.status import Status

# A server changes over to the new letter's credential within this time.
OVERLAP = timedelta(days=7)
DRAFT_KEPT = timedelta(days=90)
LINK_KEPT = timedelta(days=30)


def tidy() -> None:
    """Everything below; each finds what is left to do by itself."""
    parts = (purge_letters, retire_credentials, forget_drafts)
    slices.for_each(parts, lambda part: part())


def purge_letters() -> int:
    """Take away the files that have served. Returns how many.

    The file goes first: a run that dies in between finds it gone and marks it.
    """
    return slices.for_each(list(Letter.objects.to_purge()), _purge)


def _purge(letter: Letter) -> None:
    letters.remove(letter)
    letter.purged_at = timezone.now()
    letter.save(update_fields=["purged_at"])
    record("letter.purged", letter, organisation_key=letter.organisation_id, by=None)


def retire_credentials() -> int:
    """End what a later letter replaced, once servers had time. Returns how many."""
    newer = Letter.objects.filter(
        created_at__lt=timezone.now() - OVERLAP, credential__isnull=False
    ).exclude(file_name=None)
    revoke = partial(connections.revoke_credential, by=None)
    replaced = {
        credential.pk: credential
        for letter in newer.select_related("organisation")
        for credential in _earlier_credentials(letter)
    }
    return slices.for_each(replaced.values(), revoke)


def _earlier_credentials(letter: Letter) -> QuerySet[ConnectionCredential]:
    earlier = letter.organisation.letters.filter(id__lt=letter.pk)
    return ConnectionCredential.objects.filter(
        pk__in=earlier.values("credential_id"), revoked_at=None
    )


def forget_drafts() -> int:
    """Drop what was begun and left for three months, and links long over."""
    now = timezone.now()
    Link.objects.filter(expires_at__lt=now - LINK_KEPT).delete()
    left = Application.objects.filter(
        status__in=[Status.DRAFT, Status.WITHDRAWN],
        submitted_at=None,
        changed_at__lt=now - DRAFT_KEPT,
    )
    return left.delete()[0]
