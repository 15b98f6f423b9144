"""The virus scanners: clamd and the embedded YARA scanner, and the proof of what they open."""

from __future__ import annotations
