"""The guides that come with the product: reads their files and loads them into Wagtail."""

from __future__ import annotations
