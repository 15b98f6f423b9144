"""What webmail stores beside the mail: contacts, signatures, attachments, notices, searches."""

from __future__ import annotations

from portal.webmail.models.arrival_notice import (
    ArrivalCursor,
    ArrivalNotice,
    NoticedMailbox,
    Period,
    UnopenedDigest,
)
from portal.webmail.models.contact import Contact, ContactGroup
from portal.webmail.models.draft_file import DraftFile, FileState
from portal.webmail.models.push_subscription import PushedMailbox, PushSubscription
from portal.webmail.models.reading_preferences import Density, ReadingPreferences
from portal.webmail.models.receipt_answer import ReceiptAnswer
from portal.webmail.models.saved_search import SavedSearch
from portal.webmail.models.scheduled_send import ScheduledSend
from portal.webmail.models.text_template import TextTemplate
from portal.webmail.models.writing_preferences import (
    Signature,
    UndoTime,
    WritingPreferences,
)

__all__ = [
    "ArrivalCursor",
    "ArrivalNotice",
    "Contact",
    "ContactGroup",
    "Density",
    "DraftFile",
    "FileState",
    "NoticedMailbox",
    "Period",
    "PushSubscription",
    "PushedMailbox",
    "ReadingPreferences",
    "ReceiptAnswer",
    "SavedSearch",
    "ScheduledSend",
    "Signature",
    "TextTemplate",
    "UndoTime",
    "UnopenedDigest",
    "WritingPreferences",
]
