"""Judges attachments: which kinds may travel, found by name, type and content at any depth."""

from __future__ import annotations
