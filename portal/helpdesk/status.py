"""The choices of tickets and entries, and the transitions between statuses."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """The status of a ticket: who has to act next."""

    NEW = "new", "New"
    OPEN = "open", "Open"
    WAITING_FOR_REQUESTER = "waiting_for_requester", "Waiting for requester"
    WAITING_FOR_OTHERS = "waiting_for_others", "Waiting for a third party"
    SOLVED = "solved", "Solved"
    CLOSED = "closed", "Closed"

    @property
    def stops_the_clock(self) -> bool:
        """Whether the service-level clock is stopped in this status."""
        return self in {
            Status.WAITING_FOR_REQUESTER,
            Status.SOLVED,
            Status.CLOSED,
        }

    @property
    def is_over(self) -> bool:
        """Whether the ticket needs no further work."""
        return self in {Status.SOLVED, Status.CLOSED}


_AFTER_NEW = {
    Status.OPEN,
    Status.WAITING_FOR_REQUESTER,
    Status.WAITING_FOR_OTHERS,
    Status.SOLVED,
    Status.CLOSED,
}
TRANSITIONS: dict[Status, set[Status]] = {
    Status.NEW: _AFTER_NEW,
    Status.OPEN: _AFTER_NEW - {Status.OPEN},
    Status.WAITING_FOR_REQUESTER: _AFTER_NEW - {Status.WAITING_FOR_REQUESTER},
    Status.WAITING_FOR_OTHERS: _AFTER_NEW - {Status.WAITING_FOR_OTHERS},
    Status.SOLVED: {Status.OPEN, Status.CLOSED},
    Status.CLOSED: set(),
}


class Priority(models.TextChoices):
    """The priority of a ticket, which sets its targets (see sla.py)."""

    URGENT = "urgent", "Urgent"
    HIGH = "high", "High"
    NORMAL = "normal", "Normal"
    LOW = "low", "Low"


class Category(models.TextChoices):
    """The subject area of a ticket."""

    SIGN_IN = "sign_in", "Signing in"
    MESSAGE = "message", "A message that did not arrive"
    MAILBOX = "mailbox", "Using a mailbox"
    PEOPLE = "people", "People and roles"
    CONNECTION = "connection", "Connection to the service"
    APPLICATION = "application", "Applying to join"
    PHISHING = "phishing", "A suspicious message"
    OTHER = "other", "Something else"


class Source(models.TextChoices):
    """How a ticket was opened."""

    FORM = "form", "Form"
    MAIL = "mail", "Mail"
    CALL = "call", "Telephone call"
    API = "api", "The API"
    PHISHING_REPORT = "phishing", "Report of a suspicious message"


class EntryKind(models.TextChoices):
    """The kind of an entry."""

    REQUEST = "request", "From the requester"
    REPLY = "reply", "Reply"
    NOTICE = "notice", "Automatic message"
    NOTE = "note", "Internal note"
    EVENT = "event", "Event"

    @property
    def is_public(self) -> bool:
        """Whether the requester may read it."""
        return self in PUBLIC


PUBLIC = (EntryKind.REQUEST, EntryKind.REPLY, EntryKind.NOTICE)


class FoldKind(models.TextChoices):
    """Why a text of a message is folded: one click away from what the sender wrote."""

    QUOTATION = "quotation", "Quoted from earlier messages"
    OTHER_FORM = "other_form", "The message in its other form"
    MESSAGE = "message", "Attached message"


class Outcome(models.TextChoices):
    """The outcome of a message to the helpdesk's mailbox."""

    OPENED = "opened", "Opened a ticket"
    ANSWERED = "answered", "Added to a ticket"
    IGNORED = "ignored", "Set aside"
