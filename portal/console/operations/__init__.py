"""Console pages about running the service: health, jobs, notices, API keys and audit trail."""

from __future__ import annotations
