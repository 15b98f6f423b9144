"""Sessions is in charge of browsers' sessions: whose they are, what may fail, how they end."""

from __future__ import annotations
