"""Configures a mailbox: folders, rules, automatic replies, signatures, exports."""

from __future__ import annotations
