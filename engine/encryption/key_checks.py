"""Finds out whether the configured master keys open what is stored."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from engine.encryption import master_keys, organisation_keys
from engine.encryption.errors import MasterKeyUnavailableError, UnreadableError
from engine.encryption.models import COMMUNITY, OrganisationKey


def faults() -> Iterator[str]:
    """Yields what prevents the service from reading or encrypting mail."""
    try:
        known = master_keys.known_ids()
        if settings.POSTERN.encryption:
            master_keys.current()
    except ImproperlyConfigured as error:
        yield str(error)
        return
    rows = OrganisationKey.objects.filter(destroyed_at=None).exclude(master__in=known)
    ids = sorted(set(rows.values_list("master", flat=True)))
    if ids:
        yield (
            f"Stored mail is encrypted under a master key ({', '.join(ids)}) that is not "
            "configured, and cannot be read. Add it to POSTERN_MASTER_KEY_FALLBACK_FILES; "
            "if it is lost, the mail is."
        )


def trial() -> str:
    """Unwraps the community's key by the master key; returns the fault, if any.

    Goes to the KMS, where there is one, so that its absence shows before the keys in
    memory have expired; and this one, which new mail needs, is held all the time.
    """
    row = OrganisationKey.objects.filter(
        organisation_id=COMMUNITY, destroyed_at=None
    ).last()
    try:
        if row is not None:
            organisation_keys.unwrap_by_master(row)
        elif settings.POSTERN.encryption:
            organisation_keys.create(COMMUNITY, version=1)
    except (MasterKeyUnavailableError, UnreadableError, ImproperlyConfigured) as error:
        return str(error)
    return ""
