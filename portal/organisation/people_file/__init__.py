"""Adding many people from a CSV file: read, tried without changes, then imported."""

from __future__ import annotations
