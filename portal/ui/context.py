from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def community(request: HttpRequest) -> dict[str, object]:
    """The community's name and helpdesk number, for every page."""
    return {
        "community_name": settings.POSTERN.community_name,
        "community_domain": settings.POSTERN.community_domain,
        "helpdesk_phone": settings.POSTERN.helpdesk_phone,
    }
