"""Checks of the service: each yields the alarm rules that are broken now."""

from __future__ import annotations
