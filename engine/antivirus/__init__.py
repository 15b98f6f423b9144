"""Scans content before it is accepted, judges attachments, and quarantines what is infected."""

from __future__ import annotations
