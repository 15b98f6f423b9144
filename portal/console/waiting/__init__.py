"""Waiting is in charge of what staff see of the mail queue and do to it."""

from __future__ import annotations
