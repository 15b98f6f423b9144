"""Helpdesk is in charge of tickets: what members ask, and what was answered."""

from __future__ import annotations
