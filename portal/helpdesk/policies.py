"""Checks whether the state of a ticket allows an action (permissions check the person)."""

from __future__ import annotations

from engine.registry.errors import PolicyError
from engine.registry.models import Person, RoleName
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import TRANSITIONS, Status

MAX_TEXT_LENGTH = 20_000


def check_can_move(ticket: Ticket, status: Status) -> None:
    """Raises PolicyError for a transition that TRANSITIONS does not allow."""
    now = Status(ticket.status)
    if status not in TRANSITIONS[now]:
        raise PolicyError(
            f"{ticket.number} is “{now.label.lower()}”, so it cannot become "
            f"“{status.label.lower()}”."
        )


def can_move(ticket: Ticket, status: Status) -> bool:
    """Returns whether TRANSITIONS allows the change."""
    return status in TRANSITIONS[Status(ticket.status)]


def check_can_write(ticket: Ticket, text: str) -> None:
    """Raises PolicyError for a closed ticket, and for an empty or overlong text."""
    if ticket.status == Status.CLOSED:
        raise PolicyError(f"{ticket.number} is closed. Ask a new question instead.")
    check_text(text)


def check_text(text: str) -> None:
    """Raises PolicyError for an empty or overlong text."""
    if not text.strip():
        raise PolicyError("Enter a text.")
    if len(text) > MAX_TEXT_LENGTH:
        raise PolicyError(
            f"The text is too long. Shorten it to {MAX_TEXT_LENGTH} characters."
        )


def check_can_answer(ticket: Ticket, text: str, *, seen: int) -> None:
    """Raises PolicyError where the requester has no address, or the agent missed an entry.

    `seen` is the id of the last entry that the agent's page showed.
    """
    check_can_write(ticket, text)
    if not ticket.requester_address:
        raise PolicyError(
            "The requester has no address to reply to. Call them, and add a note instead."
        )
    if ticket.entries.filter(pk__gt=seen).exists():
        raise PolicyError(
            "An entry was added to this ticket while you were writing. Read it, then "
            "send your reply again."
        )


def check_can_own(person: Person) -> None:
    """Raises PolicyError for an owner who is not an active helpdesk agent."""
    is_agent = person.staff_roles.filter(role=RoleName.HELPDESK_AGENT).exists()
    if not person.is_active or not is_agent:
        raise PolicyError(f"{person.name} is not a helpdesk agent. Choose an agent.")


def check_can_merge(ticket: Ticket, into: Ticket) -> None:
    """Raises PolicyError where merging would show one person's entries to another."""
    if ticket.pk == into.pk:
        raise PolicyError("A ticket cannot be merged into itself.")
    for one in (ticket, into):
        if one.status == Status.CLOSED:
            raise PolicyError(f"{one.number} is closed, so it cannot be merged.")
    if not ticket.requester_address or (
        ticket.requester_address != into.requester_address
    ):
        raise PolicyError(
            f"{ticket.number} and {into.number} have different requesters. If they were "
            "merged, each would read what the other wrote."
        )
    if not (ticket.is_confirmed and into.is_confirmed):
        raise PolicyError(
            "The requester of one of the tickets has not confirmed their address yet, "
            "so the tickets cannot be merged."
        )
