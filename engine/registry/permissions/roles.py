"""Permissions, and the roles that grant them."""

from __future__ import annotations

from enum import StrEnum

from engine.registry.models import RoleName


class Permission(StrEnum):
    """An act that a role can permit, inside one organisation or across the community."""

    # Inside an organisation
    USE_MAIL = "mail.use"
    SEARCH_DIRECTORY = "directory.search"
    VIEW_ORGANISATION = "organisation.view"
    EDIT_ORGANISATION = "organisation.edit"
    MANAGE_PEOPLE = "people.manage"
    MANAGE_ROLES = "roles.manage"
    MANAGE_MAILBOXES = "mailboxes.manage"
    MANAGE_LISTS = "lists.manage"
    MANAGE_CONNECTIONS = "connections.manage"
    TRACE_MESSAGES = "messages.trace"
    VIEW_AUDIT = "audit.view"

    # Across the community
    USE_CONSOLE = "console.use"
    VIEW_APPLICATIONS = "applications.view"
    DECIDE_APPLICATIONS = "applications.decide"
    MANAGE_ORGANISATIONS = "organisations.manage"
    VIEW_QUEUE = "queue.view"
    MANAGE_QUEUE = "queue.manage"
    VIEW_QUARANTINE = "quarantine.view"
    MANAGE_QUARANTINE = "quarantine.manage"
    VIEW_OUTBOX = "outbox.view"
    MANAGE_STAFF = "staff.manage"
    PUBLISH_NOTICES = "notices.publish"
    EDIT_GUIDES = "guides.edit"
    VIEW_TICKETS = "tickets.view"
    ANSWER_TICKETS = "tickets.answer"

    @property
    def is_community_wide(self) -> bool:
        """True for permissions that only staff roles may grant."""
        return self in COMMUNITY_WIDE


# A test checks that no role inside an organisation grants any of these.
COMMUNITY_WIDE = frozenset(
    {
        Permission.USE_CONSOLE,
        Permission.VIEW_APPLICATIONS,
        Permission.DECIDE_APPLICATIONS,
        Permission.MANAGE_ORGANISATIONS,
        Permission.VIEW_QUEUE,
        Permission.MANAGE_QUEUE,
        Permission.VIEW_QUARANTINE,
        Permission.MANAGE_QUARANTINE,
        Permission.VIEW_OUTBOX,
        Permission.MANAGE_STAFF,
        Permission.PUBLISH_NOTICES,
        Permission.EDIT_GUIDES,
        Permission.VIEW_TICKETS,
        Permission.ANSWER_TICKETS,
    }
)


class Role:
    """A named set of permissions, with the description that screens show."""

    description: str
    permissions: frozenset[Permission]


class Member(Role):
    """Held by everyone in an organisation, in that organisation, without a row for it."""

    description = "Sends and receives mail, and looks people up in the directory."
    permissions = frozenset(
        {
            Permission.USE_MAIL,
            Permission.SEARCH_DIRECTORY,
            Permission.VIEW_ORGANISATION,
        }
    )


class Administrator(Role):
    """Administers one organisation; each further one needs a role of its own."""

    description = "Looks after an organisation's people, mailboxes and connections."
    permissions = Member.permissions | {
        Permission.EDIT_ORGANISATION,
        Permission.MANAGE_PEOPLE,
        Permission.MANAGE_ROLES,
        Permission.MANAGE_MAILBOXES,
        Permission.MANAGE_LISTS,
        Permission.MANAGE_CONNECTIONS,
        Permission.TRACE_MESSAGES,
        Permission.VIEW_AUDIT,
    }


class VettingOfficer(Role):
    """Staff role that decides applications and changes no member's account."""

    description = "Reads applications to join and decides them."
    permissions = frozenset(
        {
            Permission.USE_CONSOLE,
            Permission.SEARCH_DIRECTORY,
            Permission.VIEW_APPLICATIONS,
            Permission.DECIDE_APPLICATIONS,
            Permission.VIEW_ORGANISATION,
        }
    )


class HelpdeskAgent(Role):
    """Staff role for members' accounts; without the queue, quarantine and audit trail."""

    description = "Answers members' questions and follows what happened to a message."
    permissions = frozenset(
        {
            Permission.USE_CONSOLE,
            Permission.SEARCH_DIRECTORY,
            Permission.VIEW_TICKETS,
            Permission.ANSWER_TICKETS,
            Permission.VIEW_ORGANISATION,
            Permission.MANAGE_PEOPLE,
            Permission.TRACE_MESSAGES,
            Permission.VIEW_APPLICATIONS,
        }
    )


class Operator(Role):
    """Staff role that runs the service. It cannot decide applications."""

    description = "Keeps the service running: organisations, queue, quarantine, staff."
    permissions = frozenset(
        {
            Permission.USE_CONSOLE,
            Permission.SEARCH_DIRECTORY,
            Permission.VIEW_APPLICATIONS,
            Permission.VIEW_ORGANISATION,
            Permission.EDIT_ORGANISATION,
            Permission.MANAGE_ORGANISATIONS,
            Permission.MANAGE_PEOPLE,
            Permission.MANAGE_ROLES,
            Permission.MANAGE_MAILBOXES,
            Permission.MANAGE_LISTS,
            Permission.MANAGE_CONNECTIONS,
            Permission.TRACE_MESSAGES,
            Permission.VIEW_QUEUE,
            Permission.MANAGE_QUEUE,
            Permission.VIEW_QUARANTINE,
            Permission.MANAGE_QUARANTINE,
            Permission.VIEW_OUTBOX,
            Permission.MANAGE_STAFF,
            Permission.PUBLISH_NOTICES,
        }
    )


class GuideEditor(Role):
    """Staff role for published text; it sees no member's data."""

    description = "Writes the guides and the public pages."
    permissions = frozenset({Permission.USE_CONSOLE, Permission.EDIT_GUIDES})


class Auditor(Role):
    """Staff role that reads everything recorded and changes nothing."""

    description = "Reads the records and changes nothing."
    permissions = frozenset(
        {
            Permission.USE_CONSOLE,
            Permission.VIEW_APPLICATIONS,
            Permission.VIEW_ORGANISATION,
            Permission.VIEW_QUEUE,
            Permission.VIEW_QUARANTINE,
            Permission.VIEW_OUTBOX,
            Permission.VIEW_TICKETS,
            Permission.TRACE_MESSAGES,
            Permission.VIEW_AUDIT,
        }
    )


ROLES: dict[RoleName, type[Role]] = {
    RoleName.MEMBER: Member,
    RoleName.ADMINISTRATOR: Administrator,
    RoleName.VETTING_OFFICER: VettingOfficer,
    RoleName.HELPDESK_AGENT: HelpdeskAgent,
    RoleName.OPERATOR: Operator,
    RoleName.GUIDE_EDITOR: GuideEditor,
    RoleName.AUDITOR: Auditor,
}

# Roles that are held in one organisation; all others are staff roles.
ORGANISATION_ROLES = frozenset({RoleName.MEMBER, RoleName.ADMINISTRATOR})
