"""What settings.py reads: the environment, the database URL, and the settings of libraries."""

from __future__ import annotations
