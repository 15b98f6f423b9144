from __future__ import annotations

from portal.helpdesk.models.canned import CannedReply
from portal.helpdesk.models.collected import CollectedMessage
from portal.helpdesk.models.entry import Attachment, Entry
from portal.helpdesk.models.ticket import Ticket
from portal.helpdesk.models.viewing import Viewing

__all__ = [
    "Attachment",
    "CannedReply",
    "CollectedMessage",
    "Entry",
    "Ticket",
    "Viewing",
]
