"""Starts the whole service from one command and keeps its processes running."""

from __future__ import annotations
