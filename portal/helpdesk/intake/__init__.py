"""Turns mail to the helpdesk's mailbox into tickets and entries."""

from __future__ import annotations
