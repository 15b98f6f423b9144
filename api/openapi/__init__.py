"""Describes the API: the OpenAPI document, and the reference page made from it."""

from __future__ import annotations
