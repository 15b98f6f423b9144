"""Loads the mailboxes that a person holds or has a grant for, with their rights."""

from __future__ import annotations

from dataclasses import dataclass

from engine.registry.models import (
    Mailbox,
    MailboxKind,
    Organisation,
    OrganisationStatus,
    Person,
)
from engine.storage.models import MailboxSettings
from portal.emergency_access.models import EmergencyAccess

# Every page of webmail runs it: building the equivalent querysets takes longer than the
# query. By the ids of the person's own few: a condition on either of two tables would read
# every mailbox there is.
_HELD = """
    SELECT mailbox.*, held.can_read AS may_read, held.can_write AS may_write,
        held.can_send AS may_send, settings.shows_conversations AS by_conversation,
        reading.density AS density, reading.uses_shortcuts AS uses_shortcuts,
        EXISTS (
            SELECT 1 FROM webmail_savedsearch kept
            WHERE kept.mailbox_id = mailbox.id AND kept.person_id = %(person)s
        ) AS keeps_searches
    FROM registry_mailbox mailbox
    JOIN registry_organisation organisation ON organisation.id = mailbox.organisation_id
    LEFT JOIN registry_grant held
        ON held.mailbox_id = mailbox.id AND held.person_id = %(person)s
    LEFT JOIN storage_mailboxsettings settings ON settings.mailbox_id = mailbox.id
    LEFT JOIN webmail_reading reading ON reading.person_id = %(person)s
    WHERE mailbox.id IN (
        SELECT id FROM registry_mailbox WHERE owner_id = %(person)s
        UNION ALL SELECT mailbox_id FROM registry_grant WHERE person_id = %(person)s
    ) AND mailbox.is_active AND organisation.status = %(active)s
"""


@dataclass(frozen=True, slots=True)
class MailboxAccess:
    """One mailbox and what one person may do in it.

    `emergency` is the access under which a person reads who does not hold the mailbox.
    """

    mailbox: Mailbox
    can_read: bool
    can_write: bool
    can_send: bool
    emergency: EmergencyAccess | None = None
    keeps_searches: bool = False
    """Whether the person saved searches of it."""

    @property
    def is_group(self) -> bool:
        """True for a group mailbox."""
        return self.mailbox.kind == MailboxKind.GROUP


def load(person: Person) -> list[MailboxAccess]:
    """Returns the mailboxes that the person may use, in no order, in one query.

    One more if some are of other organisations than the person's.
    """
    given = {"person": person.pk, "active": OrganisationStatus.ACTIVE.value}
    found = list(Mailbox.objects.raw(_HELD, given))
    others = {one.organisation_id for one in found} - {person.organisation_id}
    known = Organisation.objects.in_bulk(others) if others else {}
    if person.organisation is not None:
        known[person.organisation.pk] = person.organisation
    for one in found:
        one.organisation = known[one.organisation_id]
        chosen = vars(one)["by_conversation"]
        # What `list_options.shows_conversations` asks for, loaded with the mailbox.
        one.settings = MailboxSettings(
            mailbox_id=one.pk, shows_conversations=chosen is None or bool(chosen)
        )
    return [_access(mailbox, person) for mailbox in found]


def _access(mailbox: Mailbox, person: Person) -> MailboxAccess:
    owns = mailbox.owner_id == person.pk
    rights = vars(mailbox)
    return MailboxAccess(
        mailbox=mailbox,
        can_read=bool(owns or rights["may_read"]),
        can_write=bool(owns or rights["may_write"]),
        can_send=bool(owns or rights["may_send"]),
        keeps_searches=bool(rights["keeps_searches"]),
    )
