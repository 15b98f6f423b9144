"""Helpdesk is in charge of the desk where agents answer tickets."""

from __future__ import annotations
