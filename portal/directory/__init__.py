"""Directory is in charge of the screens that search the community, and of the page of each thing found."""

from __future__ import annotations
