"""The application form: pages, wizard, draft, submission and progress."""

from __future__ import annotations
