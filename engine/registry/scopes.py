"""Scopes of API keys: one resource, to read or to write."""

from __future__ import annotations

from django.db import models


class Scope(models.TextChoices):
    """An act that a key may be allowed, in its organisation or across the community."""

    READ_ORGANISATIONS = "organisations:read", "Read organisations and their domains"
    WRITE_ORGANISATIONS = "organisations:write", "Change organisations and domains"
    READ_CONNECTIONS = "connections:read", "Read connections"
    WRITE_CONNECTIONS = "connections:write", "Change connections and credentials"
    READ_PEOPLE = "people:read", "Read people"
    WRITE_PEOPLE = "people:write", "Add, change and suspend people"
    WRITE_RECOVERY = (
        "recovery:write",
        "Send sign-in links; request new addresses for them and second-factor resets",
    )
    WRITE_ROLES = "roles:write", "Make and unmake administrators"
    READ_MAILBOXES = "mailboxes:read", "Read mailboxes and who may use them"
    WRITE_MAILBOXES = "mailboxes:write", "Change group mailboxes and grants"
    READ_LISTS = "lists:read", "Read distribution lists"
    WRITE_LISTS = "lists:write", "Change distribution lists"
    SEARCH_DIRECTORY = "directory:read", "Search the directory"
    READ_MESSAGES = "messages:read", "Read messages and follow what happened to them"
    WRITE_MESSAGES = "messages:write", "Send and file messages"
    READ_TICKETS = "tickets:read", "Read helpdesk tickets"
    WRITE_TICKETS = "tickets:write", "Open and answer helpdesk tickets"
    READ_GUIDES = "guides:read", "Read guides"
    READ_AUDIT = "audit:read", "Read the audit trail"
    READ_WEBHOOKS = "webhooks:read", "Read webhook endpoints"
    WRITE_WEBHOOKS = "webhooks:write", "Change webhook endpoints"
    READ_APPLICATIONS = "applications:read", "Read applications to join"
    READ_QUEUE = "queue:read", "Read the mail queue"
    WRITE_QUEUE = "queue:write", "Hold, release, retry and drop queued mail"

    @property
    def is_community_wide(self) -> bool:
        """True for scopes that only a key of the community may have."""
        return self in COMMUNITY_WIDE

    @property
    def opens_mail(self) -> bool:
        """True for scopes that read or write in people's own mailboxes.

        A key with one of them needs a second person's agreement.
        """
        return self in OPENS_MAIL

    @property
    def is_in_sandbox(self) -> bool:
        """True for scopes that a test key may have: they change nothing that is live."""
        return self in IN_SANDBOX


COMMUNITY_WIDE = frozenset(
    {Scope.READ_APPLICATIONS, Scope.READ_QUEUE, Scope.WRITE_QUEUE}
)
OPENS_MAIL = frozenset({Scope.READ_MESSAGES, Scope.WRITE_MESSAGES})
IN_SANDBOX = frozenset(
    {
        Scope.READ_ORGANISATIONS,
        Scope.READ_PEOPLE,
        Scope.READ_MAILBOXES,
        Scope.READ_LISTS,
        Scope.SEARCH_DIRECTORY,
        Scope.READ_MESSAGES,
        Scope.WRITE_MESSAGES,
        Scope.READ_GUIDES,
        Scope.READ_WEBHOOKS,
        Scope.WRITE_WEBHOOKS,
    }
)
