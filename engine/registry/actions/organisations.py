from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

from engine.audit.record import record
from engine.registry.actions import sessions
from engine.registry.actor import Actor
from engine.registry.display_names import check_can_bear, check_name
from engine.registry.errors import PolicyError
from engine.registry.models import Kind, Organisation, OrganisationStatus
from engine.registry.models.organisation import ORGANISATION_TRANSITIONS
from engine.registry.verbs import apply, verb


class OrganisationFields(TypedDict, total=False):
    """What may be changed about an organisation."""

    name: str
    kind: str
    town: str
    mfa_required: bool
    parent: Organisation | None


@verb
def add(
    *,
    name: str,
    kind: str,
    account_type: str,
    town: str = "",
    parent: Organisation | None = None,
    mfa_required: bool = False,
    by: Actor | None,
) -> Organisation:
    """Add an organisation that is still being set up: no mail flows for it yet."""
    if kind != Kind.OPERATOR:
        check_name(name)
    organisation = Organisation.objects.create(
        name=name,
        kind=kind,
        account_type=account_type,
        town=town,
        parent=parent,
        mfa_required=mfa_required,
    )
    detail = {"kind": kind, "account_type": account_type}
    _record("organisation.added", organisation, detail, by)
    return organisation


@verb
def edit(
    organisation: Organisation,
    *,
    by: Actor | None,
    **changes: Unpack[OrganisationFields],
) -> None:
    """Change what is known of an organisation."""
    if "parent" in changes:
        _check_is_no_ancestor(organisation, changes["parent"])
    if changes.get("name", organisation.name) != organisation.name:
        check_can_bear(changes["name"], organisation)
    changed = apply(organisation, changes)
    if changed:
        _record("organisation.edited", organisation, changed, by)


@verb
def activate(organisation: Organisation, *, reason: str = "", by: Actor | None) -> None:
    """Let mail flow for an organisation that has been set up."""
    _move(organisation, OrganisationStatus.ACTIVE, "organisation.activated", reason, by)


@verb
def suspend(
    organisation: Organisation,
    *,
    reason: str,
    ends_app_passwords: bool = False,
    by: Actor | None,
) -> None:
    """Stop an organisation's mail; what is queued for it is held, never returned.

    Its people's sessions end, and do not revive when it is resumed. Their app passwords
    do, unless they are ended too: where it is not certain who made them.
    """
    event = "organisation.suspended"
    _check_can_move(organisation, OrganisationStatus.SUSPENDED)
    count = sessions.close_all_of(organisation, ends_app_passwords=ends_app_passwords)
    ended = {"app_passwords_ended": count} if ends_app_passwords else {}
    _move(organisation, OrganisationStatus.SUSPENDED, event, reason, by, **ended)


@verb
def resume(organisation: Organisation, *, reason: str = "", by: Actor | None) -> None:
    """Let the mail of a suspended organisation flow again."""
    _move(organisation, OrganisationStatus.ACTIVE, "organisation.resumed", reason, by)


@verb
def close(organisation: Organisation, *, reason: str, by: Actor | None) -> None:
    """End an organisation's membership. This cannot be undone."""
    _move(organisation, OrganisationStatus.CLOSED, "organisation.closed", reason, by)
    sessions.close_all_of(organisation, ends_app_passwords=True)


def _move(
    organisation: Organisation,
    status: OrganisationStatus,
    event: str,
    reason: str,
    by: Actor | None,
    **more: object,
) -> None:
    _check_can_move(organisation, status)
    organisation.status = status
    organisation.save(update_fields=["status"])
    detail = {"reason": reason, **more} if reason else more
    _record(event, organisation, detail, by)


def _check_can_move(organisation: Organisation, status: OrganisationStatus) -> None:
    organisation.refresh_from_db(fields=["status"])
    now = OrganisationStatus(organisation.status)
    if status not in ORGANISATION_TRANSITIONS[now]:
        raise PolicyError(
            f"{organisation} is “{now.label.lower()}”, so it cannot become "
            f"“{status.label.lower()}”."
        )


def _check_is_no_ancestor(
    organisation: Organisation, parent: Organisation | None
) -> None:
    above = parent
    while above is not None:
        if above.pk == organisation.pk:
            raise PolicyError(f"{organisation} cannot be above itself.")
        above = above.parent


def _record(
    event: str,
    organisation: Organisation,
    detail: Mapping[str, object],
    by: Actor | None,
) -> None:
    record(event, organisation, organisation_key=organisation.pk, detail=detail, by=by)
