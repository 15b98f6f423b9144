"""Ui is in charge of what all screens share: components, navigation, formats."""

from __future__ import annotations
