from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict, Unpack

from django.utils import timezone

from engine.audit.record import record
from engine.registry import credentials
from engine.registry.actions import recovery, sessions
from engine.registry.actor import Actor
from engine.registry.addresses import claimed, parsed
from engine.registry.administrators import (
    check_can_lose_administrator,
    check_can_lose_operator,
)
from engine.registry.display_names import check_can_bear
from engine.registry.errors import PolicyError
from engine.registry.models import (
    AppPassword,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
)
from engine.registry.verbs import apply, verb


class PersonFields(TypedDict, total=False):
    """What may be changed about a person."""

    name: str
    job_title: str
    phone: str
    town: str
    is_ex_directory: bool


@verb
def add(
    organisation: Organisation | None,
    *,
    address: str,
    password: str | None = None,
    everyday_address: str = "",
    by: Actor | None,
    **fields: Unpack[PersonFields],
) -> Person:
    """Add a person, with a mailbox where the organisation's are kept here.

    Without an organisation the person is staff. Without a password the person cannot
    sign in until one is set. The everyday address serves the first sign-in; after that
    `actions.recovery` changes it.
    """
    key = claimed(organisation, address)
    _check_fields(fields)
    check_can_bear(fields.get("name", ""), organisation)
    person = Person.objects.create_user(
        key,
        password,
        organisation=organisation,
        everyday_address=str(parsed(everyday_address)) if everyday_address else "",
        **fields,
    )
    if by is not None:
        recovery.note_first_address(person, by=by)
    if organisation is not None and organisation.is_hosted:
        _add_mailbox(person, organisation)
    _record("person.added", person, by=by)
    return person


def _add_mailbox(person: Person, organisation: Organisation) -> None:
    Mailbox.objects.create(
        address=person.address,
        name=person.name,
        kind=MailboxKind.PERSONAL,
        organisation=organisation,
        owner=person,
        is_published=not person.is_ex_directory,
    )


@verb
def edit(person: Person, *, by: Actor | None, **changes: Unpack[PersonFields]) -> None:
    """Change what is known of a person; their mailbox follows name and directory."""
    _check_fields(changes)
    if changes.get("name", person.name) != person.name:
        check_can_bear(changes["name"], person.organisation)
    changed = apply(person, changes)
    for mailbox in Mailbox.objects.filter(owner=person):
        followed = {"name": person.name, "is_published": not person.is_ex_directory}
        apply(mailbox, followed)
    if changed:
        _record("person.edited", person, changed, by=by)


def _check_fields(fields: PersonFields) -> None:
    if "name" in fields and not fields["name"].strip():
        raise PolicyError("Enter the person's name.")


@verb
def suspend(person: Person, *, reason: str, by: Actor | None) -> None:
    """Stop a person's mail and sign-in. What is open now ends, and does not revive."""
    if by == person:
        raise PolicyError("You cannot suspend yourself.")
    check_can_lose_administrator(person)
    check_can_lose_operator(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    ended = sessions.close(person)
    detail = {"reason": reason, **({"app_passwords": ended} if ended else {})}
    _record("person.suspended", person, detail, by=by)


@verb
def resume(person: Person, *, reason: str = "", by: Actor | None) -> None:
    """Let a suspended person in again."""
    person.is_active = True
    person.save(update_fields=["is_active"])
    _record("person.resumed", person, {"reason": reason} if reason else None, by=by)


@verb
def set_password(person: Person, *, password: str, by: Actor | None) -> None:
    """Set the password with which a person signs in to the site."""
    person.set_password(password)
    person.save(update_fields=["password"])
    _record("person.password_set", person, by=by)


@verb
def end_password(person: Person, *, by: Actor | None) -> None:
    """Make the password, every session and every app password worthless at once.

    The person chooses another by a link; until then they cannot sign in.
    """
    person.set_unusable_password()
    person.save(update_fields=["password"])
    # The link that follows notifies the person.
    ended = sessions.close(person)
    detail = {"app_passwords": ended} if ended else None
    _record("person.password_ended", person, detail, by=by)


@verb
def add_app_password(
    person: Person,
    *,
    name: str,
    expires_at: datetime | None = None,
    by: Actor | None,
) -> tuple[AppPassword, str]:
    """Make a secret for one mail client. The secret is shown now and never again."""
    secret = credentials.new_secret()
    made = AppPassword.objects.create(
        person=person,
        name=name,
        digest=credentials.digest(secret),
        expires_at=expires_at,
    )
    _record("person.app_password_added", person, {"name": name}, by=by)
    return made, secret


@verb
def revoke_app_password(
    app_password: AppPassword, *, reason: str = "", by: Actor | None
) -> None:
    """End an app password; revoking it again changes nothing.

    Mail sessions that it opened end at their next command.
    """
    if app_password.revoked_at is not None:
        return
    app_password.revoked_at = timezone.now()
    app_password.save(update_fields=["revoked_at"])
    detail = {"name": app_password.name, **({"reason": reason} if reason else {})}
    _record("person.app_password_revoked", app_password.person, detail, by=by)


def _record(
    event: str,
    person: Person,
    detail: Mapping[str, object] | None = None,
    *,
    by: Actor | None,
) -> None:
    record(event, person, organisation_key=person.organisation_id, detail=detail, by=by)
