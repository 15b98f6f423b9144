"""Links that were mailed: looked at, or over."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from onboarding import one_use, throttle
from onboarding.actions import applying
from onboarding.links import ExpiredLinkError, ForgedLinkError
from onboarding.models import Link, LinkPurpose


def looked_at(token: str, *purposes: LinkPurpose) -> Link | None:
    """The link, unused so far; None where it is over. Raises Http404 for no link."""
    try:
        return one_use.find(token, *purposes)
    except ExpiredLinkError:
        return None
    except ForgedLinkError as forged:
        raise Http404 from forged


def ended(request: HttpRequest, token: str) -> HttpResponse:
    """The link is old or used: say so; the button mails another to the same reader."""
    link = one_use.whose(token)
    if link is None:
        raise Http404
    is_sent = request.method == "POST" and "again" in request.POST
    if is_sent:
        throttle.count_links_by(request)
        applying.send_link_again(link)
    context = {"link": link, "is_sent": is_sent}
    return render(request, "onboarding/link_ended.html", context, status=410)
