"""Dials other hosts, and keeps the connections that they open to ours."""

from __future__ import annotations
