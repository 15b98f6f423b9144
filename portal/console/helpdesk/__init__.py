"""The helpdesk's desk: agents answer tickets."""

from __future__ import annotations
