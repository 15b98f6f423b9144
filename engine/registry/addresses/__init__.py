"""Addresses, domains and display names: which may be given to a member, and whose one is."""

from __future__ import annotations
