"""Composes the helpdesk's mail and submits it to the mail queue."""

from __future__ import annotations
