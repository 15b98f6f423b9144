"""Actions on API keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.crypto import get_random_string

from engine.registry.credentials import generated_secrets
from engine.registry.errors import PolicyError
from engine.registry.models import Actor, ApiKey, Organisation, Person
from engine.registry.permissions import two_person_rule
from engine.registry.scopes import Scope
from engine.registry.verbs import record_action, verb

CLIENT_ID_LENGTH = 16
# Clients and scanners of source code tell keys by them.
LIVE_PREFIX, TEST_PREFIX = "postern_live_", "postern_test_"


@verb
def add(
    organisation: Organisation | None,
    *,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None = None,
    is_test: bool = False,
    by: Actor | None,
) -> tuple[ApiKey, str]:
    """Adds a key; returns it with its secret, which cannot be shown again.

    The secret begins with what tells live keys from test keys. A test key sends into the
    sandbox alone. Without an organisation the key belongs to the community. A key that reads or sends
    messages opens group mailboxes and the mailbox of the person who made it; those of
    others only after a second person agreed. Raises PolicyError for a key without a
    scope, or with one that no organisation's key may have.
    """
    wanted = sorted(set(scopes))
    _check_scopes(organisation, wanted)
    if is_test:
        _check_is_in_sandbox(organisation, wanted)
    secret = (TEST_PREFIX if is_test else LIVE_PREFIX) + generated_secrets.new_secret()
    key = ApiKey.objects.create(
        organisation=organisation,
        name=name,
        is_test=is_test,
        scopes=[str(scope) for scope in wanted],
        client_id=get_random_string(CLIENT_ID_LENGTH, generated_secrets.ALPHABET),
        digest=generated_secrets.digest(secret),
        expires_at=expires_at,
        made_by=by if isinstance(by, Person) else None,
        agreed_at=timezone.now() if by is None else None,
    )
    _record("api_key.added", key, by=by)
    return key, secret


@verb
def agree(key: ApiKey, *, reason: str, by: Person) -> None:
    """Lets a key open other people's mailboxes, with the agreement of a second person.

    Agreeing again changes nothing. Raises PolicyError for the person who made the key,
    and for a key without a scope that opens mail.
    """
    if key.agreed_at is not None:
        return
    if key.organisation is None or not key.asks_for_mail:
        raise PolicyError(
            "This key has no permission that opens a person's mailbox, "
            "so no one needs to agree to it."
        )
    two_person_rule.check_can_agree_to_key(key.organisation, first=key.made_by, by=by)
    key.agreed_at, key.agreed_by = timezone.now(), by
    key.save(update_fields=["agreed_at", "agreed_by"])
    _record("api_key.agreed", key, by=by, reason=reason)


@verb
def revoke(key: ApiKey, *, by: Actor | None) -> None:
    """Revokes a key and every token issued with it; revoking again changes nothing."""
    if key.revoked_at is not None:
        return
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    _record("api_key.revoked", key, by=by)


def _check_scopes(organisation: Organisation | None, scopes: list[Scope]) -> None:
    if not scopes:
        raise PolicyError("Choose at least one permission for the key.")
    if organisation is None:
        return
    for scope in scopes:
        if scope.is_community_wide:
            raise PolicyError(
                f"“{scope.label}” is only available to a key for the whole community."
            )


def _check_is_in_sandbox(
    organisation: Organisation | None, scopes: list[Scope]
) -> None:
    if organisation is None:
        raise PolicyError("A test key belongs to an organisation.")
    refused = [scope.label for scope in scopes if not scope.is_in_sandbox]
    if refused:
        raise PolicyError(
            f"A test key changes nothing that is live, so it cannot: {'; '.join(refused)}."
        )


def _record(event: str, key: ApiKey, *, by: Actor | None, reason: str = "") -> None:
    detail = {"scopes": key.scopes, "expires": str(key.expires_at or "")}
    if key.is_test:
        detail["mode"] = "test"
    record_action(event, key, detail, reason=reason, by=by)
