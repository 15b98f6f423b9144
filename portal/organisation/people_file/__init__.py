"""People file is in charge of adding many people from one CSV file: read, tried, then done."""

from __future__ import annotations
