"""Views is in charge of the pages of applicants and new administrators."""

from __future__ import annotations
