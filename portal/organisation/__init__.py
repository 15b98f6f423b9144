"""Organisation is in charge of the pages where administrators look after their own organisation."""

from __future__ import annotations
