"""Decides on applications: sponsors, signatures, automatic checks and officers' actions."""

from __future__ import annotations
