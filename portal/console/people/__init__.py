"""Console pages about people: search, one person, and staff actions on their account."""

from __future__ import annotations
