"""Intake is in charge of mail to the helpdesk's mailbox becoming tickets."""

from __future__ import annotations
