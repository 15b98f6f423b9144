"""Guides is in charge of what guide editors watch: reviews that are due, and feedback."""

from __future__ import annotations
