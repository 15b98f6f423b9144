"""Records what happens to mail for operators: metrics for Prometheus, and log lines."""

from __future__ import annotations
