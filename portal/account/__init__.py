"""Signing in with allauth, the second factor, and the settings of one's own account."""

from __future__ import annotations
