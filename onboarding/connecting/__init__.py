"""Connecting is in charge of an organisation's values, proof of its domains, and rehearsals."""

from __future__ import annotations
