"""Says, before a message is sent, who gets it and what looks like a mistake."""

from __future__ import annotations
