from __future__ import annotations

from engine.storage.models.automatic_mail import (
    FAULT_LENGTH,
    AutomaticMail,
    AutomaticMailKind,
)
from engine.storage.models.content import Content
from engine.storage.models.content_key import ContentKey
from engine.storage.models.export import EXPORT_TRANSITIONS, Export, ExportStatus
from engine.storage.models.folder import Folder, FolderRole
from engine.storage.models.group_work import (
    NOTE_LENGTH,
    AnswerInProgress,
    InternalNote,
    MessageAnswer,
    MessageOpening,
)
from engine.storage.models.label import Label, LabelColour, MessageLabel
from engine.storage.models.mailbox import MailboxSettings, MaildropLock, Retention
from engine.storage.models.message import FirstUse, Message, MessageFacts
from engine.storage.models.out_of_office import Answered, OutOfOffice
from engine.storage.models.reminder import Reminder, ReminderKind
from engine.storage.models.rule import Rule
from engine.storage.models.search_gap import GapReason, SearchGap
from engine.storage.models.withdrawn_copy import WithdrawalKind, WithdrawnCopy

__all__ = [
    "EXPORT_TRANSITIONS",
    "FAULT_LENGTH",
    "NOTE_LENGTH",
    "AnswerInProgress",
    "Answered",
    "AutomaticMail",
    "AutomaticMailKind",
    "Content",
    "ContentKey",
    "Export",
    "ExportStatus",
    "FirstUse",
    "Folder",
    "FolderRole",
    "GapReason",
    "InternalNote",
    "Label",
    "LabelColour",
    "MailboxSettings",
    "MaildropLock",
    "Message",
    "MessageAnswer",
    "MessageFacts",
    "MessageLabel",
    "MessageOpening",
    "OutOfOffice",
    "Reminder",
    "ReminderKind",
    "Retention",
    "Rule",
    "SearchGap",
    "WithdrawalKind",
    "WithdrawnCopy",
]
