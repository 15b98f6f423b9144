"""Decides where mail goes: what addresses mean, and which senders may use and reach them."""

from __future__ import annotations
