"""Asks for, approves and refuses withdrawals: what three operators do together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models, transaction

from engine.audit.record import record as audit
from engine.database import clock
from engine.incidents import search
from engine.incidents.models import (
    WITHDRAWAL_TRANSITIONS,
    Agreement,
    Rescan,
    RescanState,
    Withdrawal,
    WithdrawalState,
)
from engine.incidents.search import Criteria
from engine.jobs import queue as jobs
from engine.lanes import Lane
from engine.queue.notifications import service_notices
from engine.registry.credentials.account_recovery import recovery_delay
from engine.registry.errors import PolicyError
from engine.registry.models import Person, RoleName, StaffRole
from engine.registry.permissions import Permission
from engine.registry.permissions.two_person_rule import has_held

JOB = "engine.incidents.tasks.run_withdrawal"
NEEDED = 2  # operators beside the one who asked
# A request that was not approved by then is not carried out.
LIFETIME = timedelta(days=7)

ASKED = """\
{asker} asks to {what} {found} messages.

Reason: {reason}

Two other operators must approve it. Look at what was found first, in the console under
Withdrawals.
"""


@transaction.atomic
def ask(criteria: Criteria, *, reason: str, by: Person) -> Withdrawal:
    """Asks to withdraw every message that meets the criteria and was accepted until now.

    Raises PolicyError where nothing, or more than one withdrawal takes, was found, and
    where too few operators could approve it.
    """
    _check_can_ask(by)
    until = min(criteria.until, clock.now())
    found = search.count(search.find(criteria.keys, criteria.since, until))
    if not found:
        raise PolicyError("Nothing was found, so there is nothing to withdraw.")
    if found > search.MOST:
        raise PolicyError(
            f"More than {search.MOST:,} messages were found. Choose fewer days, or add "
            "something to search for."
        )
    made = Withdrawal.objects.create(
        criteria=criteria.typed,
        keys=criteria.keys,
        since=criteria.since,
        until=until,
        found=found,
        reason=reason.strip(),
        **_asker(by),
    )
    _tell_operators(made, "withdraw")
    _audit("withdrawal.asked", made, by=by, **criteria.typed)
    return made


@transaction.atomic
def ask_to_put_back(withdrawal: Withdrawal, *, reason: str, by: Person) -> Withdrawal:
    """Asks to put back what a withdrawal that is done took out. Raises PolicyError."""
    _check_can_ask(by)
    lapse()
    locked = _locked(withdrawal)
    if locked.is_put_back or locked.state != WithdrawalState.DONE:
        raise PolicyError("Only a withdrawal that is done can be put back.")
    made = Withdrawal(
        undoes=locked,
        criteria=locked.criteria,
        since=locked.since,
        until=locked.until,
        found=locked.messages,
    )
    return _ask_back(made, "undoes", reason=reason, by=by, withdrawal=locked.pk)


@transaction.atomic
def ask_to_put_back_rescan(rescan: Rescan, *, reason: str, by: Person) -> Withdrawal:
    """Asks to put back what a re-scan withdrew, as found by mistake. Raises PolicyError."""
    _check_can_ask(by)
    lapse()
    locked = Rescan.objects.select_for_update().get(pk=rescan.pk)
    if locked.state == RescanState.RUNNING:
        raise PolicyError("The re-scan is running. Wait until it is done, or stop it.")
    if not locked.copies and not locked.stopped:
        raise PolicyError("The re-scan withdrew nothing.")
    made = Withdrawal(
        rescan=locked,
        since=locked.since,
        until=locked.started_at,
        found=locked.infected,
    )
    return _ask_back(made, "rescan", reason=reason, by=by, rescan=locked.pk)


def _ask_back(
    made: Withdrawal, of: str, *, reason: str, by: Person, **detail: int
) -> Withdrawal:
    """Asks for putting back what the field `of` names, unless that was asked before and
    not refused. Raises PolicyError."""
    earlier = Withdrawal.objects.filter(**{of: getattr(made, of)}).first()
    if earlier is not None:
        if earlier.state != WithdrawalState.REFUSED:
            raise PolicyError("Putting it back has been asked for already.")
        setattr(earlier, of, None)
        earlier.save(update_fields=[of])
    made.reason = reason.strip()
    for name, value in _asker(by).items():
        setattr(made, name, value)
    made.save()
    _tell_operators(made, "put back")
    _audit("withdrawal.put_back_asked", made, by=by, **detail)
    return made


@transaction.atomic
def agree(withdrawal: Withdrawal, *, by: Person) -> None:
    """Approves; the second approval starts it. Raises PolicyError for who may not."""
    locked = _locked(withdrawal)
    check_can_agree(locked, by=by)
    Agreement.objects.create(withdrawal=locked, person_id=by.pk, name=str(by))
    _audit("withdrawal.agreed", locked, by=by)
    if len(counted(locked)) >= NEEDED:
        _change_state(locked, WithdrawalState.RUNNING, started_at=clock.now())
        jobs.add(JOB, locked.pk, lane=Lane.LONG)


@transaction.atomic
def refuse(withdrawal: Withdrawal, *, reason: str, by: Person) -> None:
    """Ends it before it begins; who asked may do so too. Raises PolicyError."""
    _check_operator(by)
    locked = _locked(withdrawal)
    _change_state(
        locked,
        WithdrawalState.REFUSED,
        refused_by=str(by)[:320],
        finished_at=clock.now(),
    )
    _audit("withdrawal.refused", locked, by=by, reason=reason)


@transaction.atomic
def lapse() -> int:
    """Ends the requests that were not approved in time; returns how many."""
    before = clock.now() - LIFETIME
    old = Withdrawal.objects.filter(state=WithdrawalState.ASKED, asked_at__lte=before)
    locked = list(old.select_for_update(of=("self",)).order_by("pk"))
    for one in locked:
        _change_state(one, WithdrawalState.REFUSED, finished_at=clock.now())
        _audit("withdrawal.lapsed", one, by=None)
    return len(locked)


def counted(withdrawal: Withdrawal) -> list[Agreement]:
    """Returns the approvals of operators who could still give them."""
    given = list(withdrawal.agreements.all())
    people = Person.objects.in_bulk([one.person_id for one in given])
    return [
        one
        for one in given
        if (person := people.get(one.person_id)) is not None and _may_approve(person)
    ]


def check_can_agree(withdrawal: Withdrawal, *, by: Person) -> None:
    """Raises PolicyError unless `by` is an operator who neither asked nor approved it,
    and its asker is an operator still."""
    _check_operator(by)
    if by.pk == withdrawal.asked_by_id:
        raise PolicyError("You asked for this, so two other operators must approve it.")
    if withdrawal.agreements.filter(person_id=by.pk).exists():
        raise PolicyError("You have approved this already. Another operator must, too.")
    if withdrawal.state != WithdrawalState.ASKED:
        raise PolicyError("This no longer waits for approval.")
    if withdrawal.asked_at <= clock.now() - LIFETIME:
        raise PolicyError(
            f"This was asked for more than {LIFETIME.days} days ago. Ask again."
        )
    asker = Person.objects.filter(pk=withdrawal.asked_by_id).first()
    if asker is None or not _is_operator(asker):
        raise PolicyError(
            f"{withdrawal.asked_by}, who asked for this, can no longer act as an operator. "
            "Refuse it, and ask again if it is still needed."
        )
    if not _may_approve(by):
        raise PolicyError("Your role is too new for this. Ask another operator.")


def can_agree(withdrawal: Withdrawal, *, by: Person) -> bool:
    """The same question, answered yes or no."""
    try:
        check_can_agree(withdrawal, by=by)
    except PolicyError:
        return False
    return True


def finish(withdrawal: Withdrawal) -> None:
    """Records that everything was moved. In the caller's transaction."""
    _change_state(withdrawal, WithdrawalState.DONE, finished_at=clock.now())
    _audit(
        "withdrawal.done",
        withdrawal,
        by=None,
        messages=withdrawal.messages,
        copies=withdrawal.copies,
        opened=withdrawal.used,
        held=withdrawal.stopped,
    )


def _check_can_ask(by: Person) -> None:
    """Raises PolicyError unless `by` is an operator, and enough others could approve."""
    _check_operator(by)
    operators = Person.objects.filter(staff_roles__role=RoleName.OPERATOR)
    others = operators.exclude(pk=by.pk).distinct()
    able = sum(1 for one in others if _may_approve(one))
    if able < NEEDED:
        raise PolicyError(
            f"{NEEDED} other operators must approve this, and {able or 'none'} could: "
            "each needs an active account, and the role for "
            f"{recovery_delay().total_seconds() / 3600:.0f} hours."
        )


def _check_operator(by: Person) -> None:
    if not _is_operator(by):
        raise PolicyError("Only operators withdraw mail, and put it back.")


def _is_operator(person: Person) -> bool:
    roles = StaffRole.objects.filter(person=person, role=RoleName.OPERATOR)
    return person.is_active and not person.is_mail_shut and roles.exists()


def _may_approve(person: Person) -> bool:
    """Whether the person is an operator, and has been for long enough.

    An operator gives roles to others, and must not make both approvers.
    """
    held = has_held(person, Permission.MANAGE_QUARANTINE, None)
    return held and _is_operator(person)


def _locked(withdrawal: Withdrawal) -> Withdrawal:
    rows = Withdrawal.objects.select_for_update(of=("self",))
    return rows.get(pk=withdrawal.pk)


def _change_state(
    withdrawal: Withdrawal, state: WithdrawalState, **fields: object
) -> None:
    now = WithdrawalState(withdrawal.state)
    if state not in WITHDRAWAL_TRANSITIONS[now]:
        raise PolicyError(f"This is “{now.label.lower()}”, so nothing was changed.")
    for name, value in {"state": state, **fields}.items():
        setattr(withdrawal, name, value)
    withdrawal.save(update_fields=["state", *fields])


def _asker(by: Person) -> dict[str, Any]:
    return {"asked_by_id": by.pk, "asked_by": str(by)[:320]}


def _tell_operators(made: Withdrawal, what: str) -> None:
    text = ASKED.format(
        asker=made.asked_by, what=what, found=made.found, reason=made.reason
    )
    for address in set(service_notices.alert_recipients(None)):
        service_notices.send_notice(
            address, subject="A withdrawal waits for your approval", text=text
        )


def _audit(
    event: str, row: models.Model, /, *, by: Person | None, **detail: object
) -> None:
    audit(event, row, organisation_key="", detail=detail, by=by)
