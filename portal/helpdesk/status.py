"""How a ticket goes, and the words for what it is about."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """Whose turn it is."""

    NEW = "new", "New"
    OPEN = "open", "Open"
    WAITING_FOR_REQUESTER = "waiting_for_requester", "Waiting for requester"
    WAITING_FOR_OTHERS = "waiting_for_others", "Waiting for a third party"
    SOLVED = "solved", "Solved"
    CLOSED = "closed", "Closed"

    @property
    def stops_the_clock(self) -> bool:
        """True while nothing is owed by the helpdesk."""
        return self in {
            Status.WAITING_FOR_REQUESTER,
            Status.SOLVED,
            Status.CLOSED,
        }

    @property
    def is_over(self) -> bool:
        return self in {Status.SOLVED, Status.CLOSED}


_AT_WORK = {
    Status.OPEN,
    Status.WAITING_FOR_REQUESTER,
    Status.WAITING_FOR_OTHERS,
    Status.SOLVED,
    Status.CLOSED,
}
TRANSITIONS: dict[Status, set[Status]] = {
    Status.NEW: _AT_WORK,
    Status.OPEN: _AT_WORK - {Status.OPEN},
    Status.WAITING_FOR_REQUESTER: _AT_WORK - {Status.WAITING_FOR_REQUESTER},
    Status.WAITING_FOR_OTHERS: _AT_WORK - {Status.WAITING_FOR_OTHERS},
    Status.SOLVED: {Status.OPEN, Status.CLOSED},
    Status.CLOSED: set(),
}


class Priority(models.TextChoices):
    """How soon somebody must be answered."""

    URGENT = "urgent", "Urgent"
    HIGH = "high", "High"
    NORMAL = "normal", "Normal"
    LOW = "low", "Low"


class Category(models.TextChoices):
    """What a ticket is about."""

    SIGN_IN = "sign_in", "Signing in"
    MESSAGE = "message", "A message that did not arrive"
    MAILBOX = "mailbox", "Using a mailbox"
    PEOPLE = "people", "People and roles"
    CONNECTION = "connection", "Connection to the service"
    APPLICATION = "application", "Applying to join"
    PHISHING = "phishing", "A suspicious message"
    OTHER = "other", "Something else"


class Source(models.TextChoices):
    """How a ticket came in."""

    FORM = "form", "Form"
    MAIL = "mail", "Mail"
    CALL = "call", "Telephone call"
    API = "api", "The API"
    PHISHING_REPORT = "phishing", "Report of a suspicious message"


class EntryKind(models.TextChoices):
    """What one entry of a ticket is."""

    REQUEST = "request", "From the requester"
    REPLY = "reply", "Reply"
    NOTICE = "notice", "Automatic message"
    NOTE = "note", "Internal note"
    EVENT = "event", "Event"

    @property
    def is_public(self) -> bool:
        """True where the requester may read it."""
        return self in PUBLIC


PUBLIC = (EntryKind.REQUEST, EntryKind.REPLY, EntryKind.NOTICE)


class Outcome(models.TextChoices):
    """What became of a message to the helpdesk's mailbox."""

    OPENED = "opened", "Opened a ticket"
    ANSWERED = "answered", "Added to a ticket"
    IGNORED = "ignored", "Set aside"
