"""Gets people to their first sign-in: passwords, letter codes, directory sign-ins."""

from __future__ import annotations
