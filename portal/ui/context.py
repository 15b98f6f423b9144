from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpRequest

from portal.ui import navigation


def community(request: HttpRequest) -> dict[str, object]:
    """The community's name and helpdesk number, and where the person can go.

    The navigation is a function, so that pages which do not show it ask nothing.
    """
    return {
        "community_name": settings.POSTERN.community_name,
        "community_domain": settings.POSTERN.community_domain,
        "helpdesk_phone": settings.POSTERN.helpdesk_phone,
        "navigation": partial(navigation.items, request),
    }
