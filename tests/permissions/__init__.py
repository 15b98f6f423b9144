"""Tries every route of the site as every kind of visitor, and every job twice."""

from __future__ import annotations
