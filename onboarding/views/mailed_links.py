"""Looks up mailed one-time links, and offers another when one has ended."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from onboarding import one_time_links, rate_limits
from onboarding.applying import applications
from onboarding.models import Link, LinkPurpose
from onboarding.signed_links import ExpiredLinkError, ForgedLinkError


def find_link(token: str, *purposes: LinkPurpose) -> Link | None:
    """Returns a link that still works, or None if it ended. Raises Http404 if forged."""
    try:
        return one_time_links.find(token, *purposes)
    except ExpiredLinkError:
        return None
    except ForgedLinkError as forged:
        raise Http404 from forged


def link_ended(request: HttpRequest, token: str) -> HttpResponse:
    """Shows that a link has ended; its button mails another to the same address."""
    link = one_time_links.find_ended(token)
    if link is None:
        raise Http404
    is_sent = request.method == "POST" and "again" in request.POST
    if is_sent:
        rate_limits.count_link_by(request)
        applications.resend_link(link)
    context = {"link": link, "is_sent": is_sent}
    return render(request, "onboarding/applying/link_ended.html", context, status=410)
