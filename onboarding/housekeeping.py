"""Purges old letters, replaced credentials, abandoned drafts and expired links."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from engine.audit.record import record
from engine.database import batches
from engine.registry.actions import connections
from engine.registry.models import ConnectionCredential
from onboarding.letters import letter_files
from onboarding.models import Application, Letter, Link
from onboarding.status import Status

# The time that a mail server has to change over to the new letter's credential.
OVERLAP = timedelta(days=7)
DRAFT_KEPT = timedelta(days=90)
LINK_KEPT = timedelta(days=30)


def tidy() -> None:
    """Runs every purge below; each is idempotent and finds its own work."""
    parts = (
        purge_letters,
        letter_files.delete_orphans,
        revoke_replaced_credentials,
        purge_drafts,
    )
    batches.for_each(parts, lambda part: part())


def purge_letters() -> int:
    """Deletes letters that were downloaded or are too old. Returns their number.

    The file is deleted before the row is marked: after a crash in between, the next run
    finds the file gone and marks the row.
    """
    return batches.for_each(list(Letter.objects.to_purge()), _purge)


def _purge(letter: Letter) -> None:
    letter_files.delete(letter)
    letter.purged_at = timezone.now()
    letter.save(update_fields=["purged_at"])
    record("letter.purged", letter, organisation_key=letter.organisation_id, by=None)


def revoke_replaced_credentials() -> int:
    """Revokes credentials replaced by a letter older than OVERLAP. Returns their number."""
    newer = Letter.objects.filter(
        created_at__lt=timezone.now() - OVERLAP, credential__isnull=False
    ).exclude(file_name=None)
    revoke = partial(connections.revoke_credential, by=None)
    replaced = {
        credential.pk: credential
        for letter in newer.select_related("organisation")
        for credential in _earlier_credentials(letter)
    }
    return batches.for_each(replaced.values(), revoke)


def _earlier_credentials(letter: Letter) -> QuerySet[ConnectionCredential]:
    earlier = letter.organisation.letters.filter(id__lt=letter.pk)
    return ConnectionCredential.objects.filter(
        pk__in=earlier.values("credential_id"), revoked_at=None
    )


def purge_drafts() -> int:
    """Deletes drafts untouched for DRAFT_KEPT, and links expired for LINK_KEPT."""
    now = timezone.now()
    Link.objects.filter(expires_at__lt=now - LINK_KEPT).delete()
    left = Application.objects.filter(
        status__in=[Status.DRAFT, Status.WITHDRAWN],
        submitted_at=None,
        changed_at__lt=now - DRAFT_KEPT,
    )
    return left.delete()[0]
