from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.crypto import get_random_string

from engine.audit.record import record
from engine.registry import credentials, second_person
from engine.registry.actor import Actor
from engine.registry.errors import PolicyError
from engine.registry.models import ApiKey, Organisation, Person
from engine.registry.scopes import Scope
from engine.registry.verbs import verb

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

    Without an organisation it is the community's. One that reads or sends messages
    opens group mailboxes and its maker's own, until a second person agrees to others'.
    Raises PolicyError for a key that could do nothing, or more than one organisation's
    may.
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
        made_by=by if isinstance(by, Person) else None,
        agreed_at=timezone.now() if by is None else None,
    )
    _record("api_key.added", key, by=by)
    return key, secret


@verb
def agree(key: ApiKey, *, reason: str, by: Person) -> None:
    """Let a key open other people's mailboxes, as a second person.

    Agreeing again changes nothing. Raises PolicyError for the key's maker, and for a
    key that opens no mail.
    """
    if key.agreed_at is not None:
        return
    if key.organisation is None or not key.asks_for_mail:
        raise PolicyError("This key opens nobody's mailbox.")
    second_person.check_can_agree_to_key(key.organisation, first=key.made_by, by=by)
    key.agreed_at, key.agreed_by = timezone.now(), by
    key.save(update_fields=["agreed_at", "agreed_by"])
    _record("api_key.agreed", key, by=by, reason=reason)


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


def _record(event: str, key: ApiKey, *, by: Actor | None, reason: str = "") -> None:
    detail = {"scopes": key.scopes, "expires": str(key.expires_at or "")}
    if reason:
        detail["reason"] = reason
    record(event, key, organisation_key=key.organisation_id, detail=detail, by=by)
