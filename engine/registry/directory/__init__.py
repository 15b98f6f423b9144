"""Directory is in charge of finding people, organisations, lists and group mailboxes, and of who sees which."""

from __future__ import annotations

from engine.registry.directory.entry import Entry, Page
from engine.registry.directory.searching import COUNTED, find, search, suggest
from engine.registry.models import EntryKind

__all__ = ["COUNTED", "Entry", "EntryKind", "Page", "find", "search", "suggest"]
