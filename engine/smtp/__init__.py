"""Smtp is in charge of hearing SMTP: from organisations on receive, from people on submission."""

from __future__ import annotations
