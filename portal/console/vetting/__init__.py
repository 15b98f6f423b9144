"""The vetting desk: officers read applications and decide them."""

from __future__ import annotations
