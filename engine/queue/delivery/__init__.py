"""Delivers queued messages: claims them under a lease, attempts them, records the outcomes."""

from __future__ import annotations
