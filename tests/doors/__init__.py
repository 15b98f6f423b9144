"""Who may enter where: every route of the site, tried by everybody."""

from __future__ import annotations
