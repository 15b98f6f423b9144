"""The helpdesk: tickets, their entries and attachments, and the mail about them."""

from __future__ import annotations
