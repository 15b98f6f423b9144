"""Version 1 of the API: one module for each resource, its serializers and operations."""

from __future__ import annotations
