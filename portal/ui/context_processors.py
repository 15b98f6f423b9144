"""Template context of every page."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from portal.ui import helpdesk_hours, navigation
from portal.ui.helpdesk_hours import Hours


def community(request: HttpRequest) -> dict[str, object]:
    """The community's name, the helpdesk's contact details, and the navigation.

    Navigation and hours are callables, so that pages without them run no query.
    """
    return {
        "community_name": settings.POSTERN.community_name,
        "community_domain": settings.POSTERN.community_domain,
        "helpdesk_phone": settings.POSTERN.helpdesk_phone,
        "helpdesk_address": settings.POSTERN.helpdesk_address,
        "helpdesk_hours": _hours,
        "navigation": partial(navigation.items, request),
    }


def _hours() -> Hours:
    return helpdesk_hours.status(timezone.now())
