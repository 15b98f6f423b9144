"""Audit is in charge of remembering who did what, when, so that nobody can change it unseen."""

from __future__ import annotations
