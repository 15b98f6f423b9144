"""Full-text search of mailboxes, on SQLite's FTS5 and PostgreSQL's tsvector."""

from __future__ import annotations
