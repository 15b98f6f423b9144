"""Helps an organisation connect its mail server: values, domain proof, tests, monitoring."""

from __future__ import annotations
