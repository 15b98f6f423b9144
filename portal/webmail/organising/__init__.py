"""Sharing and sorting mail: group work, labels, reminders, and lists across mailboxes."""

from __future__ import annotations
