"""Webhooks is in charge of telling other systems what happened, once each and signed."""

from __future__ import annotations
