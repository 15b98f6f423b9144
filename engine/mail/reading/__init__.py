"""Reads a message as its reader must see it: what to show, in order, and what to offer."""

from __future__ import annotations
