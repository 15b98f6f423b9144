"""Api is in charge of the REST API."""

from __future__ import annotations
