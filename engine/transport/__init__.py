"""Transports: into mailboxes here, to a member's next hop, and through the smart host."""

from __future__ import annotations
