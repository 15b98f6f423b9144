"""The mail queue: messages that are accepted and not yet delivered to every recipient."""

from __future__ import annotations
