"""What onboarding clears away by the clock."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

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
    purge_letters()
    retire_credentials()
    forget_drafts()


def purge_letters() -> int:
    """Take away the files that have served. Returns how many.

    The file goes first: a run that dies in between finds it gone and marks it.
    """
    due = list(Letter.objects.to_purge())
    for letter in due:
        letters.remove(letter)
        letter.purged_at = timezone.now()
        letter.save(update_fields=["purged_at"])
        record(
            "letter.purged", letter, organisation_key=letter.organisation_id, by=None
        )
    return len(due)


def retire_credentials() -> int:
    """End what a later letter replaced, once servers had time. Returns how many."""
    ended = 0
    newer = Letter.objects.filter(
        created_at__lt=timezone.now() - OVERLAP, credential__isnull=False
    ).exclude(file_name=None)
    for letter in newer.select_related("organisation"):
        earlier = letter.organisation.letters.filter(id__lt=letter.pk)
        replaced = ConnectionCredential.objects.filter(
            pk__in=earlier.values("credential_id"), revoked_at=None
        )
        for credential in replaced:
            connections.revoke_credential(credential, by=None)
            ended += 1
    return ended


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
