"""The outbox of notices: emails stored with the actions that cause them, sent by a job."""

from __future__ import annotations
