"""Audit trail: who did what and when, in a hash chain that shows every later change."""

from __future__ import annotations
