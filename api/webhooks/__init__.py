"""Notifies other systems of events by signed webhook calls (Standard Webhooks 1.0)."""

from __future__ import annotations
