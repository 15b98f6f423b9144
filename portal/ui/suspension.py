"""Suspending and resuming mailboxes, lists and connections, asked for on one page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from engine.registry.models import Connection, DistributionList, Mailbox, Person
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ActionForm, ConfirmForm, ReasonForm

Suspendable = Mailbox | DistributionList | Connection


class SuspensionActions(Protocol):
    """The registry's actions that suspend and resume one kind of row."""

    def suspend(self, row: Any, /, *, reason: str, by: Person) -> None:
        """Suspends the row."""

    def resume(self, row: Any, /, *, reason: str = "", by: Person) -> None:
        """Resumes the row."""


def suspension(
    actions: SuspensionActions,
    *,
    suspend_text: str,
    resume_text: str,
    resume_form: type[ActionForm] = ConfirmForm,
) -> Callable[[Any], ConfirmedAction[Any]]:
    """Returns what chooses between suspending an active row and resuming a suspended one.

    Suspending always needs a reason; resuming does where `resume_form` asks for one.
    """

    def describe(row: Suspendable, by: Person) -> Confirmation:
        word = "Suspend" if row.is_active else "Resume"
        outcome = "is suspended" if row.is_active else "works again"
        return Confirmation(
            title=f"{word} {row.name}",
            button=word,
            done=f"{row.name} {outcome}.",
            text=suspend_text if row.is_active else resume_text,
            caption=getattr(row, "address", ""),
            is_warning=row.is_active,
            state="active" if row.is_active else "suspended",
        )

    def choose(row: Suspendable) -> ConfirmedAction[Suspendable]:
        if row.is_active:
            return ConfirmedAction(describe, actions.suspend, ReasonForm)
        return ConfirmedAction(describe, actions.resume, resume_form)

    return choose
