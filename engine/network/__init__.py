"""Looks up hosts, decides which may be dialled, and admits the connections of clients."""

from __future__ import annotations
