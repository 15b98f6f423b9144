"""Runs background jobs at least once each, and retries failures with a back-off."""

from __future__ import annotations
