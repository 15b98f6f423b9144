"""Views is in charge of the screens where administrators look after an organisation."""

from __future__ import annotations
