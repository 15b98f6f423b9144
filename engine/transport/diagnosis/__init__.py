"""Examines other organisations' mail servers without delivering anything."""

from __future__ import annotations
