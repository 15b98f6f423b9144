"""Files sent as links: added to drafts, opened by recipients, and ended by their sender."""

from __future__ import annotations
