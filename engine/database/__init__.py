"""What code needs of the database that all processes and hosts share, beside Django's ORM."""

from __future__ import annotations
