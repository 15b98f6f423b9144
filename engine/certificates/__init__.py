"""Delivery certificates: signed statements of what happened to a message, and their verification."""

from __future__ import annotations
