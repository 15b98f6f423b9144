"""Uses the database that all processes and hosts share: time, locks, threads, batches."""

from __future__ import annotations
