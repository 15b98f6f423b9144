"""Database tools beside Django's ORM: shared clock, locks, bulk statements, threads."""

from __future__ import annotations
