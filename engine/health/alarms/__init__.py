"""Alarms: how they open and end, and the mail that notifies operators of them."""

from __future__ import annotations
