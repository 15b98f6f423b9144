"""Views is in charge of the agents' screens: queue, ticket, call, reports."""

from __future__ import annotations
