"""Webmail is in charge of reading and writing mail in a browser."""

from __future__ import annotations
