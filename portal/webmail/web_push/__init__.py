"""Notifies browsers of new mail while no page is open, by Web Push, where people ask for it."""

from __future__ import annotations
