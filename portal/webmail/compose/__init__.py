"""Writes and sends messages: compose page, replies, recipient check, undo send."""

from __future__ import annotations
