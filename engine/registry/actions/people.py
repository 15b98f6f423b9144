"""Actions on people: their details, passwords and app passwords."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from engine.registry.actions import recovery, sessions
from engine.registry.addresses.allocation import available_key, parse_address
from engine.registry.addresses.display_names import check_member_name
from engine.registry.credentials import generated_secrets, scram_keys
from engine.registry.credentials.account_recovery import is_unused
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Actor,
    AppPassword,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
)
from engine.registry.permissions.last_administrator import (
    check_not_last_administrator,
    check_not_last_operator,
)
from engine.registry.verbs import apply, record_action, verb


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
    """Adds a person, with a mailbox if the organisation's mail is hosted here.

    Without an organisation the person is staff. Without a password the person cannot
    sign in until one is set. The everyday address receives the first sign-in link; later
    only `actions.recovery` changes it. Raises PolicyError for an address that is not
    free, and for an empty or misleading name.
    """
    key = available_key(organisation, address)
    _check_fields(fields)
    check_member_name(fields.get("name", ""), organisation)
    person = Person.objects.create_user(
        key,
        password,
        organisation=organisation,
        everyday_address=str(parse_address(everyday_address))
        if everyday_address
        else "",
        **fields,
    )
    if by is not None:
        recovery.record_first_address(person, by=by)
    if organisation is not None and organisation.is_hosted:
        _add_mailbox(person, organisation)
    record_action("person.added", person, by=by)
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
    """Changes a person's details; their mailbox takes over the name and the listing.

    Raises PolicyError for an empty or misleading name.
    """
    _check_fields(changes)
    if changes.get("name", person.name) != person.name:
        check_member_name(changes["name"], person.organisation)
    changed = apply(person, changes)
    for mailbox in Mailbox.objects.filter(owner=person):
        followed = {"name": person.name, "is_published": not person.is_ex_directory}
        apply(mailbox, followed)
    if changed:
        record_action("person.edited", person, changed, by=by)


def _check_fields(fields: PersonFields) -> None:
    if "name" in fields and not fields["name"].strip():
        raise PolicyError("Enter the person's name.")


@verb
def suspend(person: Person, *, reason: str, by: Actor | None) -> None:
    """Stops a person's mail and sign-in, and ends their sessions for good.

    Raises PolicyError for oneself, the last administrator and the last operator.
    """
    if by == person:
        raise PolicyError(
            "You cannot suspend your own account. Ask another administrator."
        )
    check_not_last_administrator(person)
    check_not_last_operator(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    ended = sessions.revoke(person)
    detail = {"app_passwords": ended} if ended else None
    record_action("person.suspended", person, detail, reason=reason, by=by)


@verb
def resume(person: Person, *, reason: str = "", by: Actor | None) -> None:
    """Lets a suspended person sign in and receive mail again."""
    person.is_active = True
    person.save(update_fields=["is_active"])
    record_action("person.resumed", person, reason=reason, by=by)


@verb
def remove(person: Person, *, by: Actor | None) -> None:
    """Deletes an account that was never used, and its mailbox.

    Raises PolicyError for one that was signed in to or got mail, for oneself, and for the
    last administrator, and while a ticket or an application is about the person.
    """
    if by == person:
        raise PolicyError("You cannot remove your own account.")
    check_not_last_administrator(person)
    check_not_last_operator(person)
    # Waits for mail that is arriving, which then counts.
    mailboxes = Mailbox.objects.filter(owner=person)
    mailboxes.select_for_update().values_list("pk").first()
    if not is_unused(person):
        raise PolicyError(
            f"The account of {person.name} has been used. Suspend it instead: its mail "
            "is kept, and nobody can sign in to it."
        )
    try:
        with transaction.atomic():
            # First, as an entry about what is gone would have no id.
            record_action("person.removed", person, by=by)
            mailboxes.delete()
            person.delete()
    except ProtectedError as error:
        raise PolicyError(
            f"Other records, such as tickets, name {person.name}. Suspend the account "
            "instead."
        ) from error


@verb
def set_password(person: Person, *, password: str, by: Actor | None) -> None:
    """Sets the password with which a person signs in to the website."""
    person.set_password(password)
    person.save(update_fields=["password"])
    record_action("person.password_set", person, by=by)


@verb
def end_password(person: Person, *, by: Actor | None) -> None:
    """Invalidates a person's password, sessions and app passwords immediately.

    The person chooses a new password by a link, and cannot sign in until then. The
    caller sends that link, which also notifies the person.
    """
    person.set_unusable_password()
    person.save(update_fields=["password"])
    ended = sessions.revoke(person)
    detail = {"app_passwords": ended} if ended else None
    record_action("person.password_ended", person, detail, by=by)


@verb
def add_app_password(
    person: Person,
    *,
    name: str,
    expires_at: datetime | None = None,
    by: Actor | None,
) -> tuple[AppPassword, str]:
    """Adds an app password for one mail client; returns it with its secret.

    The secret cannot be shown again.
    """
    secret = generated_secrets.new_secret()
    made = AppPassword.objects.create(
        person=person,
        name=name,
        digest=generated_secrets.digest(secret),
        scram=scram_keys.sealed_keys(secret),
        expires_at=expires_at,
    )
    record_action("person.app_password_added", person, {"name": name}, by=by)
    return made, secret


@verb
def revoke_app_password(
    app_password: AppPassword, *, reason: str = "", by: Actor | None
) -> None:
    """Revokes an app password; revoking it again changes nothing.

    Mail sessions that it opened end at their next command.
    """
    if app_password.revoked_at is not None:
        return
    app_password.revoked_at = timezone.now()
    app_password.save(update_fields=["revoked_at"])
    record_action(
        "person.app_password_revoked",
        app_password.person,
        {"name": app_password.name},
        reason=reason,
        by=by,
    )
