"""The command that starts the whole service."""

from __future__ import annotations
