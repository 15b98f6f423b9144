"""Commands that start and inspect the engine."""

from __future__ import annotations
