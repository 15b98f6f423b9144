"""Adapts Django REST framework: what every API operation has in common."""

from __future__ import annotations
