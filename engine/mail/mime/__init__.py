"""MIME (RFC 2045 to 2049): reads the parts of hostile messages, and writes new ones."""

from __future__ import annotations
