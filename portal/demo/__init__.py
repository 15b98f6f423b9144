"""Builds the demo community that a development copy starts with."""

from __future__ import annotations
