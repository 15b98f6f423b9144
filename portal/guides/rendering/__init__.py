"""Renders guides: parts, pictures and placeholders, as a web page and as PDF."""

from __future__ import annotations
