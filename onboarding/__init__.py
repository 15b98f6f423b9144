"""Onboarding is in charge of organisations applying, being vetted, connected and provisioned."""

from __future__ import annotations
