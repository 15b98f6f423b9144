"""Actions on how another person signs in: a new link, and resets of the second factor."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from engine.audit.record import record
from engine.registry.actions import people, recovery, sessions, shut_mail
from engine.registry.actions.recovery import BY_LINK
from engine.registry.errors import PolicyError
from engine.registry.models import Actor, ApiKey, Person
from engine.registry.permissions import two_person_rule
from engine.registry.verbs import verb
from portal.account_admin import policies, tasks
from portal.account_admin.models import FactorReset


@transaction.atomic
def send_sign_in_link(person: Person, *, by: Actor) -> None:
    """Ends the person's password and emails a link to choose another.

    Raises PolicyError with the sentence to show.
    """
    recovery.apply_due_change(person)
    policies.check_can_reset(person, by=by)
    policies.check_can_be_sent_link(person)
    people.end_password(person, by=by)
    tasks.invite(person)


@verb
def reset_second_factor(person: Person, *, reason: str, by: Actor) -> bool:
    """Removes every authenticator app, passkey and recovery code, or requests it.

    An administrator of the person's organisation resets alone, and the mailbox then stays
    locked; staff and API keys need the agreement of a second person, who is not the one
    that made the key. Returns True where the reset is done, False where it waits. Raises
    PolicyError with the sentence to show.
    """
    policies.check_can_reset(person, by=by)
    if not reason.strip():
        raise PolicyError("Enter a reason.")
    if isinstance(by, Person) and policies.may_reset_alone(person, by=by):
        now = timezone.now()
        reset = FactorReset.objects.create(
            person=person, requested_by=by, reason=reason, settled_at=now
        )
        _carry_out(reset, by=by)
        return True
    if FactorReset.objects.waiting().filter(person=person).exists():
        raise PolicyError(
            "A reset for this person has already been requested. A "
            "second person must agree to it."
        )
    # An expired request still occupies the unique constraint on unsettled resets.
    FactorReset.objects.filter(person=person, settled_at=None).delete()
    reset = FactorReset.objects.create(
        person=person,
        requested_by=by.made_by if isinstance(by, ApiKey) else by,
        reason=reason,
    )
    _record("person.second_factor_reset_requested", reset, reason=reason, by=by)
    return False


@verb
def agree_to_factor_reset(reset: FactorReset, *, by: Person) -> None:
    """Agrees as the second person, which removes the second factor. Raises PolicyError."""
    reset = _pending(reset)
    person = reset.person
    policies.check_can_reset(person, by=by)
    two_person_rule.check_can_agree(person, first=reset.requested_by, by=by)
    reset.settled_at, reset.agreed_by = timezone.now(), by
    reset.save(update_fields=["settled_at", "agreed_by"])
    _carry_out(reset, by=reset.requested_by or by)


@verb
def stop_factor_reset(reset: FactorReset, *, by: Person | None) -> None:
    """Withdraws or refuses a request, as the owner or as an administrator of the account.

    `by=None` is the reader of a notification, through its link. Raises PolicyError.
    """
    reset = _pending(reset)
    person = reset.person
    if (
        by is not None
        and by != person
        and not two_person_rule.can_manage_account(person, by=by)
    ):
        raise PolicyError("You may not change this account.")
    reset.settled_at = timezone.now()
    reset.save(update_fields=["settled_at"])
    event = "person.second_factor_reset_refused"
    _record(event, reset, by=by, refused_by=str(by or BY_LINK))


@verb
def disown_factor_reset(reset: FactorReset, *, by: Person | None) -> None:
    """Locks the account after a reset that its owner did not ask for.

    Every session and app password ends, and with them the password and any second factor
    set up since; the mailbox is shut for the next sign-in. The earlier second factor does
    not come back: most resets are for a lost phone, and the holder of that phone may be the
    reader of the notification. `by=None` is that reader, through the link. Raises
    PolicyError.
    """
    rows = FactorReset.objects.select_for_update(of=("self",))
    reset = rows.select_related("person__organisation").get(pk=reset.pk)
    person = reset.person
    if by is not None and by != person:
        raise PolicyError("Only the owner of the account can do this.")
    if not reset.may_be_disowned:
        raise PolicyError("This reset can no longer be stopped. Call the helpdesk.")
    reset.disowned_at = timezone.now()
    reset.save(update_fields=["disowned_at"])
    Authenticator.objects.filter(user=person).delete()
    person.set_unusable_password()
    person.save(update_fields=["password"])
    ended = sessions.revoke(person)
    # Neither of the two who agreed to the reset may open the mailbox alone.
    for one in (reset.requested_by, reset.agreed_by):
        if one is not None:
            shut_mail.shut_after_factor_reset(person, by=one, agreed_by=None)
    event = "person.second_factor_reset_disowned"
    _record(event, reset, by=by, refused_by=str(by or BY_LINK), app_passwords=ended)


def _carry_out(reset: FactorReset, *, by: Person) -> None:
    person, agreed_by = reset.person, reset.agreed_by
    reset.done_at = timezone.now()
    reset.save(update_fields=["done_at"])
    Authenticator.objects.filter(user=person).delete()
    # The lost phone may still hold a signed-in session.
    sessions.revoke(person, keeps_app_passwords=True)
    shut_mail.shut_after_factor_reset(person, by=by, agreed_by=agreed_by)
    agreed = {"agreed_by": str(agreed_by)} if agreed_by else {}
    _record("person.second_factor_reset", reset, reason=reset.reason, by=by, **agreed)


def _pending(reset: FactorReset) -> FactorReset:
    """Locks the row until the transaction ends, so that two answers cannot both count."""
    rows = FactorReset.objects.waiting().select_for_update(of=("self",))
    found = rows.select_related("person__organisation").filter(pk=reset.pk).first()
    if found is None:
        raise PolicyError("This request is no longer pending.")
    return found


def _record(
    event: str,
    reset: FactorReset,
    *,
    reason: str = "",
    by: Actor | None,
    **more: object,
) -> None:
    person = reset.person
    asked_by = reset.requested_by if reset.requested_by != by else None
    facts = {"reason": reason, "requested_by": str(asked_by or ""), **more}
    detail = {name: value for name, value in facts.items() if value}
    record(
        event,
        person,
        organisation_key=person.organisation_id,
        detail={**detail, "reset": reset.pk},
        by=by,
    )
