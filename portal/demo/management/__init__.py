"""Commands that start a copy of the whole."""

from __future__ import annotations
