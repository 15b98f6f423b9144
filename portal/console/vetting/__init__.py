"""Vetting is in charge of the desk where officers read applications and decide them."""

from __future__ import annotations
