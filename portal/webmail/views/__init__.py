"""Views is in charge of webmail's pages: one module for each thing people do."""

from __future__ import annotations
