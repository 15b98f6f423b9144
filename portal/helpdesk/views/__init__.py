"""The pages on which requesters open, read and answer their own tickets."""

from __future__ import annotations
