"""Watches the service: who lives, what is wrong, who is told, what Prometheus reads."""

from __future__ import annotations
