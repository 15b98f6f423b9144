"""What is done to how somebody signs in, by others than they themselves."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry import second_person
from engine.registry.actions import people, recovery, sessions, shut_mail
from engine.registry.changes import verb
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.organisation import policies, tasks
from portal.organisation.models import FactorReset


@transaction.atomic
def send_sign_in_link(person: Person, *, by: Person) -> None:
    """End the person's password and send them a link to choose another.

    Raises PolicyError with the sentence to show.
    """
    recovery.settle(person)
    policies.check_can_reset(person, by=by)
    policies.check_can_be_sent_link(person)
    people.end_password(person, by=by)
    tasks.invite(person)


@verb
def reset_second_factor(person: Person, *, reason: str, by: Person) -> bool:
    """Take away every app, passkey and recovery code, or ask for a second person.

    An administrator of the person's organisation does it alone, and the mailbox then
    stays shut; staff need a second person's agreement. True where it is done. Raises
    PolicyError with the sentence to show.
    """
    policies.check_can_reset(person, by=by)
    if not reason.strip():
        raise PolicyError("Enter a reason.")
    if policies.may_reset_alone(person, by=by):
        _reset(person, reason=reason, by=by, agreed_by=None)
        return True
    if FactorReset.objects.waiting().filter(person=person).exists():
        raise PolicyError("This waits for a second person already.")
    # One that nobody agreed to in time makes room for another.
    FactorReset.objects.filter(person=person, settled_at=None).delete()
    FactorReset.objects.create(person=person, requested_by=by, reason=reason)
    _record("person.second_factor_reset_requested", person, reason=reason, by=by)
    return False


@verb
def agree_to_factor_reset(reset: FactorReset, *, by: Person) -> None:
    """Agree as the second person: the second factor goes. Raises PolicyError."""
    reset = _waiting(reset)
    person = reset.person
    policies.check_can_reset(person, by=by)
    second_person.check_can_agree(person, first=reset.requested_by, by=by)
    reset.settled_at, reset.agreed_by = timezone.now(), by
    reset.save(update_fields=["settled_at", "agreed_by"])
    _reset(person, reason=reset.reason, by=reset.requested_by or by, agreed_by=by)


@verb
def stop_factor_reset(reset: FactorReset, *, by: Person) -> None:
    """Take back or refuse a request, as the owner or who looks after the account."""
    reset = _waiting(reset)
    person = reset.person
    if by != person and not second_person.may_look_after(person, by=by):
        raise PolicyError("You do not look after this account.")
    reset.settled_at = timezone.now()
    reset.save(update_fields=["settled_at"])
    _record("person.second_factor_reset_refused", person, reason="", by=by)


def _reset(
    person: Person, *, reason: str, by: Person, agreed_by: Person | None
) -> None:
    Authenticator.objects.filter(user=person).delete()
    # The person who lost the phone may have been signed in on it.
    sessions.close(person, keeps_app_passwords=True)
    shut_mail.note_factor_reset(person, by=by, agreed_by=agreed_by)
    agreed = {"agreed_by": str(agreed_by)} if agreed_by else {}
    _record("person.second_factor_reset", person, reason=reason, by=by, **agreed)


def _waiting(reset: FactorReset) -> FactorReset:
    rows = FactorReset.objects.waiting().select_for_update(of=("self",))
    found = rows.select_related("person__organisation").filter(pk=reset.pk).first()
    if found is None:
        raise PolicyError("This request no longer waits.")
    return found


def _record(
    event: str, person: Person, *, reason: str, by: Person, **more: str
) -> None:
    detail = {**({"reason": reason} if reason else {}), **more}
    record(event, person, organisation_key=person.organisation_id, detail=detail, by=by)
