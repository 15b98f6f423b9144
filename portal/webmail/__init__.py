"""Webmail: reading, writing and organising mail in a browser."""

from __future__ import annotations
