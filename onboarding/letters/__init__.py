"""Writes, stores and delivers letters as accessible PDFs."""

from __future__ import annotations
