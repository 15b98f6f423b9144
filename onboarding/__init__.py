"""Takes an organisation from its application through vetting to a working connection."""

from __future__ import annotations
