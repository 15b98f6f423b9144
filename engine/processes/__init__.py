"""Starts, supervises and stops the processes of the service, and sets their limits."""

from __future__ import annotations
