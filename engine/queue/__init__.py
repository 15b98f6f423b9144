"""Queue is in charge of messages accepted and not yet delivered."""

from __future__ import annotations
