"""Tables of the helpdesk."""

from __future__ import annotations

from portal.helpdesk.models.agent_tools import CannedReply, Viewing
from portal.helpdesk.models.collected_message import CollectedMessage
from portal.helpdesk.models.entry import Attachment, Entry, FoldedText
from portal.helpdesk.models.ticket import Ticket

__all__ = [
    "Attachment",
    "CannedReply",
    "CollectedMessage",
    "Entry",
    "FoldedText",
    "Ticket",
    "Viewing",
]
