"""Notices is in charge of every notice that onboarding owes somebody, until it is sent."""

from __future__ import annotations
