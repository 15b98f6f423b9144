"""The public pages: start page, status, privacy, terms, and the health endpoints."""

from __future__ import annotations
