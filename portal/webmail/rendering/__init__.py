"""Renders messages from untrusted senders safely and within bounded time.

Decisions are in portal/README.md.
"""

from __future__ import annotations
