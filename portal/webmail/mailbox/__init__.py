"""Lists, opens, searches and organises the messages of a mailbox."""

from __future__ import annotations
