"""Caches that processes share, and that count exactly how often something was asked for."""

from __future__ import annotations
