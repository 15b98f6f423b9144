"""The staff console: every page of staff, inside Wagtail's admin under /admin/."""

from __future__ import annotations
