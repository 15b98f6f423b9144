"""Console is in charge of every screen of staff."""

from __future__ import annotations
