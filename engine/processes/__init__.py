"""Runs the processes of the service: starts, replaces and ends them, and sets their limits."""

from __future__ import annotations
