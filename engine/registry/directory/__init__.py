"""Directory: searching people, organisations, lists and group mailboxes, and who sees which."""

from __future__ import annotations

from engine.registry.directory.queries import COUNTED, find, search, suggest
from engine.registry.directory.results import Entry, Page
from engine.registry.models import EntryKind

__all__ = ["COUNTED", "Entry", "EntryKind", "Page", "find", "search", "suggest"]
