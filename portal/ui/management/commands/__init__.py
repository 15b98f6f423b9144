"""Commands that prepare the pages' assets."""

from __future__ import annotations
