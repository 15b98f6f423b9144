"""Drafts: their format, storage, lock and attachments."""

from __future__ import annotations
