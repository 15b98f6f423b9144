"""Metrics of the whole service, for Prometheus and for the console's plots."""

from __future__ import annotations
