from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.crypto import get_random_string

from engine.audit.record import record
from engine.registry import credentials
from engine.registry.actor import Actor
from engine.registry.changes import verb
from engine.registry.errors import PolicyError
from engine.registry.models import ApiKey, Organisation
from engine.registry.scopes import Scope

CLIENT_ID_LENGTH = 16


@verb
def add(
    organisation: Organisation | None,
    *,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None = None,
    by: Actor | None,
) -> tuple[ApiKey, str]:
    """Make a key; its secret is shown now and never again.

    Without an organisation it is the community's. Raises PolicyError for a key that
    could do nothing, or more than one organisation's may.
    """
    wanted = sorted(set(scopes))
    _check_scopes(organisation, wanted)
    secret = credentials.new_secret()
    key = ApiKey.objects.create(
        organisation=organisation,
        name=name,
        scopes=[str(scope) for scope in wanted],
        client_id=get_random_string(CLIENT_ID_LENGTH, credentials.ALPHABET),
        digest=credentials.digest(secret),
        expires_at=expires_at,
    )
    _record("api_key.added", key, by=by)
    return key, secret


@verb
def revoke(key: ApiKey, *, by: Actor | None) -> None:
    """End a key, and every token taken out with it; doing so again changes nothing."""
    if key.revoked_at is not None:
        return
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    _record("api_key.revoked", key, by=by)


def _check_scopes(organisation: Organisation | None, scopes: list[Scope]) -> None:
    if not scopes:
        raise PolicyError("Choose at least one thing that the key may do.")
    if organisation is None:
        return
    for scope in scopes:
        if scope.is_community_wide:
            raise PolicyError(f"“{scope.label}” is not for one organisation's key.")


def _record(event: str, key: ApiKey, *, by: Actor | None) -> None:
    detail = {"scopes": key.scopes, "expires": str(key.expires_at or "")}
    record(event, key, organisation_key=key.organisation_id, detail=detail, by=by)
