"""Tests of engine.mail.mime, module by module."""

from __future__ import annotations
