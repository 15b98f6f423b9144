"""Sorts mail and shares its work: assignments, notes, answers of group mailboxes."""

from __future__ import annotations
