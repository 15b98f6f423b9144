from __future__ import annotations

from engine.storage.models.content import Content
from engine.storage.models.errand import FAULT_LENGTH, Errand, ErrandKind
from engine.storage.models.export import EXPORT_TRANSITIONS, Export, ExportStatus
from engine.storage.models.folder import Folder, FolderRole
from engine.storage.models.maildrop_lock import MaildropLock
from engine.storage.models.message import Message
from engine.storage.models.out_of_office import Answered, OutOfOffice
from engine.storage.models.rule import Rule
from engine.storage.models.settings import MailboxSettings, Retention

__all__ = [
    "EXPORT_TRANSITIONS",
    "FAULT_LENGTH",
    "Answered",
    "Content",
    "Errand",
    "ErrandKind",
    "Export",
    "ExportStatus",
    "Folder",
    "FolderRole",
    "MailboxSettings",
    "MaildropLock",
    "Message",
    "OutOfOffice",
    "Retention",
    "Rule",
]
