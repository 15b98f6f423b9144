"""TODO say what the room is for."""

from __future__ import annotations
