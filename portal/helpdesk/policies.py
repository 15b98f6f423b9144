"""Whether a ticket's state allows something. Who may, permissions say."""

from __future__ import annotations

from engine.registry.errors import PolicyError
from engine.registry.models import Person, RoleName
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import TRANSITIONS, Status

LONGEST_TEXT = 20_000


def check_can_move(ticket: Ticket, status: Status) -> None:
    """Refuse what the table of transitions does not hold."""
    now = Status(ticket.status)
    if status not in TRANSITIONS[now]:
        raise PolicyError(
            f"{ticket.number} is “{now.label.lower()}”, so it cannot become "
            f"“{status.label.lower()}”."
        )


def can_move(ticket: Ticket, status: Status) -> bool:
    return status in TRANSITIONS[Status(ticket.status)]


def check_can_write(ticket: Ticket, text: str) -> None:
    """Refuse to add to a closed ticket, and to add nothing or far too much."""
    if ticket.status == Status.CLOSED:
        raise PolicyError(f"{ticket.number} is closed. Ask a new question instead.")
    check_text(text)


def check_text(text: str) -> None:
    if not text.strip():
        raise PolicyError("Write something first.")
    if len(text) > LONGEST_TEXT:
        raise PolicyError(f"Write no more than {LONGEST_TEXT} characters.")


def check_can_answer(ticket: Ticket, text: str, *, seen: int) -> None:
    """Refuse an answer to somebody without an address, or to what was not read.

    `seen` is the last entry that whoever answers has seen.
    """
    check_can_write(ticket, text)
    if not ticket.requester_address:
        raise PolicyError(
            "We have no address of the requester. Call them, and write a note."
        )
    if ticket.entries.filter(pk__gt=seen).exists():
        raise PolicyError(
            "Something was added to this ticket while you wrote. Read it, then send "
            "your reply again."
        )


def check_can_own(person: Person) -> None:
    """Refuse to give a ticket to somebody who answers none."""
    is_agent = person.staff_roles.filter(role=RoleName.HELPDESK_AGENT).exists()
    if not person.is_active or not is_agent:
        raise PolicyError(f"{person.name} is not a helpdesk agent.")


def check_can_merge(ticket: Ticket, into: Ticket) -> None:
    """Refuse to put one person's words where another reads them."""
    if ticket.pk == into.pk:
        raise PolicyError("A ticket cannot be merged into itself.")
    for one in (ticket, into):
        if one.status == Status.CLOSED:
            raise PolicyError(f"{one.number} is closed, so it cannot be merged.")
    if not ticket.requester_address or (
        ticket.requester_address != into.requester_address
    ):
        raise PolicyError(
            f"{ticket.number} and {into.number} are of different people. Merged, each "
            "would read what the other wrote."
        )
    if not (ticket.is_confirmed and into.is_confirmed):
        raise PolicyError(
            "One of the tickets comes from an address that was not confirmed."
        )
