"""Real programs that tests communicate with, each started in a folder of its own."""

from __future__ import annotations
