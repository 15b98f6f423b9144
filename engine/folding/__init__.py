"""Folds the letters and joints of names and texts, so that every search answers alike."""

from __future__ import annotations
