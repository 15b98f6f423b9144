"""Django's backend for PostgreSQL, which after a failover asks the new primary first."""

from __future__ import annotations
