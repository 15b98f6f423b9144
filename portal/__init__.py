"""The website: a Django and Wagtail site with every page of the service."""

from __future__ import annotations
