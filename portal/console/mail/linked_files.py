"""Stops sharing the files that a message sent as links, for operators."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse

from engine.linked_files import ending
from engine.linked_files.models import LinkedFile
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.confirmation import confirmed_view
from portal.console.mail import trace
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm


@dataclass(frozen=True, slots=True)
class Shared:
    """A message with files that can still be downloaded."""

    reference: str


def _find(reference: str) -> Shared:
    live = LinkedFile.objects.live().filter(reference=reference)
    if not reference or not live.exists():
        raise Http404
    return Shared(reference)


def _describe(row: Shared, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Stop sharing the files of message {row.reference}",
        button="Stop sharing",
        done="The files can no longer be downloaded.",
        text="Every link in the message stops working for everybody, and the files are "
        "deleted. It cannot be undone. What was downloaded before stays where it is. To "
        "withdraw the message as well, ask for that under Withdrawals.",
        is_warning=True,
    )


def _stop(row: Shared, *, reason: str, by: Person) -> None:
    ending.end_all(row.reference, reason=reason, by=by)


stop = confirmed_view(
    Permission.MANAGE_QUARANTINE,
    _find,
    ConfirmedAction(_describe, _stop, ReasonForm),
    back=lambda row: reverse("console:story", args=[row.reference]),
    icon=trace.ICON,
    above=trace.ABOVE,
)
