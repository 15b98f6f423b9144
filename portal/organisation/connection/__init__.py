"""An organisation's connection: settings, domains, set-up guides, tests and shared links."""

from __future__ import annotations
