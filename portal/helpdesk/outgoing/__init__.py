"""Outgoing is in charge of the helpdesk's replies on their way to the queue."""

from __future__ import annotations
