"""Limits how much each sender may send in a minute, an hour and a day."""

from __future__ import annotations
