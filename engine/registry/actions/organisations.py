"""Actions on organisations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

from engine.registry.actions import sessions
from engine.registry.addresses.display_names import check_member_name, check_name
from engine.registry.errors import PolicyError
from engine.registry.models import Actor, Kind, Organisation, OrganisationStatus
from engine.registry.models.organisation import ORGANISATION_TRANSITIONS
from engine.registry.verbs import apply, record_action, verb


class OrganisationFields(TypedDict, total=False):
    """What may be changed about an organisation."""

    name: str
    kind: str
    town: str
    mfa_required: bool
    indexes_mail: bool
    allows_web_push: bool
    requires_classification: bool
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
    """Adds an organisation that is being set up: no mail flows for it yet.

    Raises PolicyError for a misleading name.
    """
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
    record_action("organisation.added", organisation, detail, by=by)
    return organisation


@verb
def edit(
    organisation: Organisation,
    *,
    by: Actor | None,
    **changes: Unpack[OrganisationFields],
) -> None:
    """Changes an organisation's details.

    Raises PolicyError for a misleading name, and for a parent that is the organisation
    itself or below it.
    """
    if "parent" in changes:
        _check_no_cycle(organisation, changes["parent"])
    if changes.get("name", organisation.name) != organisation.name:
        check_member_name(changes["name"], organisation)
    changed = apply(organisation, changes)
    if changed:
        record_action("organisation.edited", organisation, changed, by=by)


@verb
def activate(organisation: Organisation, *, reason: str = "", by: Actor | None) -> None:
    """Lets mail flow for an organisation that has been set up. Raises PolicyError."""
    _change_status(
        organisation, OrganisationStatus.ACTIVE, "organisation.activated", reason, by
    )


@verb
def suspend(
    organisation: Organisation,
    *,
    reason: str,
    ends_app_passwords: bool = False,
    by: Actor | None,
) -> None:
    """Stops an organisation's mail; queued mail is held, and never returned.

    Ends its people's sessions, which stay ended when it is resumed. App passwords work
    again then, unless `ends_app_passwords`: for when an intruder may have made some.
    Raises PolicyError.
    """
    _check_can_become(organisation, OrganisationStatus.SUSPENDED)
    count = sessions.revoke_all_of(organisation, ends_app_passwords=ends_app_passwords)
    _change_status(
        organisation,
        OrganisationStatus.SUSPENDED,
        "organisation.suspended",
        reason,
        by,
        {"app_passwords_ended": count} if ends_app_passwords else {},
    )


@verb
def resume(organisation: Organisation, *, reason: str = "", by: Actor | None) -> None:
    """Lets the mail of a suspended organisation flow again. Raises PolicyError."""
    _change_status(
        organisation, OrganisationStatus.ACTIVE, "organisation.resumed", reason, by
    )


@verb
def close(organisation: Organisation, *, reason: str, by: Actor | None) -> None:
    """Ends an organisation's membership, which cannot be undone. Raises PolicyError."""
    _change_status(
        organisation, OrganisationStatus.CLOSED, "organisation.closed", reason, by
    )
    sessions.revoke_all_of(organisation, ends_app_passwords=True)


def _change_status(
    organisation: Organisation,
    status: OrganisationStatus,
    event: str,
    reason: str,
    by: Actor | None,
    detail: Mapping[str, object] | None = None,
) -> None:
    _check_can_become(organisation, status)
    organisation.status = status
    organisation.save(update_fields=["status"])
    record_action(event, organisation, detail, reason=reason, by=by)


def _check_can_become(organisation: Organisation, status: OrganisationStatus) -> None:
    # Another process may have changed it since the caller read the row.
    organisation.refresh_from_db(fields=["status"])
    now = OrganisationStatus(organisation.status)
    if status not in ORGANISATION_TRANSITIONS[now]:
        raise PolicyError(
            f"{organisation} is “{now.label.lower()}”, so it cannot become "
            f"“{status.label.lower()}”."
        )


def _check_no_cycle(organisation: Organisation, parent: Organisation | None) -> None:
    above = parent
    while above is not None:
        if above.pk == organisation.pk:
            raise PolicyError(
                f"{organisation} cannot belong to itself. Choose another organisation."
            )
        above = above.parent
