"""Real programs that tests talk to, each started in a folder of its own."""

from __future__ import annotations
