"""HTTP middleware: limits on requests, caching, content policy, and errors while data is out of reach."""

from __future__ import annotations
