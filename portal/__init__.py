"""Portal is in charge of the Wagtail site and of every screen."""

from __future__ import annotations
