"""Runs background jobs: at least once each, again with a back-off when they fail."""

from __future__ import annotations
