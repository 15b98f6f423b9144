"""Antivirus is in charge of scanning content before it is accepted, and of what is done with what it finds."""

from __future__ import annotations
