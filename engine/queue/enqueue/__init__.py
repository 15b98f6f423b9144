"""Puts messages on the queue: checks our own submissions, and commits every accepted message."""

from __future__ import annotations
