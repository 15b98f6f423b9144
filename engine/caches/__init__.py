"""Caches that processes share, with exact counts for rate limits."""

from __future__ import annotations
