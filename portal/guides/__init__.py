"""Guides is in charge of telling people how to do things: written guides and videos."""

from __future__ import annotations
