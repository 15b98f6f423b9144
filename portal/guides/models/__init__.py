"""The guides' tables: pages that editors write, and what readers say of them."""

from __future__ import annotations

from portal.guides.models.feedback import Feedback
from portal.guides.models.loaded import LoadedGuide
from portal.guides.models.pages import Guide, GuideIndex, ReviewedPage, VideoGuide

__all__ = [
    "Feedback",
    "Guide",
    "GuideIndex",
    "LoadedGuide",
    "ReviewedPage",
    "VideoGuide",
]
