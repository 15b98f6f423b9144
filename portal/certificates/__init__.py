"""Delivery certificates on the site: made, downloaded, and verified by anybody."""

from __future__ import annotations
