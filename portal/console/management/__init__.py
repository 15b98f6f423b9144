"""The command that serves the site."""

from __future__ import annotations
