"""Connections: what proves an organisation's servers, and what is known of cloud providers."""

from __future__ import annotations
