"""The mail system, which runs without the portal."""

from __future__ import annotations
