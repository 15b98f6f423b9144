"""Models is in charge of what a person keeps beside their mail: contacts, signatures, files of drafts."""

from __future__ import annotations

from portal.webmail.models.contact import Contact, ContactGroup
from portal.webmail.models.departure import Departure
from portal.webmail.models.draft_file import DraftFile, FileState
from portal.webmail.models.habits import Habits, Signature, UndoTime

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
