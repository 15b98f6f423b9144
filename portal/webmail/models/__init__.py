"""What webmail stores beside the mail: contacts, signatures, attachments of drafts."""

from __future__ import annotations

from portal.webmail.models.contact import Contact, ContactGroup
from portal.webmail.models.draft_file import DraftFile, FileState
from portal.webmail.models.scheduled_send import Departure
from portal.webmail.models.writing_preferences import Habits, Signature, UndoTime

__all__ = [
    "Contact",
    "ContactGroup",
    "Departure",
    "DraftFile",
    "FileState",
    "Habits",
    "Signature",
    "UndoTime",
]
