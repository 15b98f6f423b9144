"""The account's own pages: overview, sessions, everyday address, directory entry."""

from __future__ import annotations
