"""The address book: contacts, groups, import and export, recipient suggestions."""

from __future__ import annotations
