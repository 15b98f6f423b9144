"""Tests of emergency access to mailboxes."""

from __future__ import annotations
