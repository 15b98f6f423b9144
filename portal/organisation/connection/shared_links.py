"""A connection's values for an IT department: by link, without signing in.

Opening the page changes nothing, whoever opens it (mail scanners do); the button does.
The address is the key: no other site is told it, as on every page (a policy without any
referrer would have browsers send the button's form from no origin, which is refused).
"""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.errors import PolicyError
from engine.registry.models import Organisation
from engine.registry.permissions.view_guards import public
from onboarding.connecting import actions, connection_values, policies, setup_guides
from onboarding.connecting.models import SharedLink
from portal.organisation.connection.connections import (
    KEEPER,
    SECTION,
    as_file,
    connection_in,
)
from portal.organisation.connection.forms import ShareForm
from portal.organisation.frame import show, visitor, within
from portal.ui.forms import ConfirmForm


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def share(
    request: HttpRequest, organisation: Organisation, connection_id: int
) -> HttpResponse:
    """Make a link; its address is shown once."""
    found = connection_in(organisation, connection_id)
    form = ShareForm(request.POST or None)
    made: list[tuple[SharedLink, str]] = []

    def verb() -> None:
        name = form.cleaned_data["name"]
        made.append(actions.share(found, name=name, by=visitor(request)))

    if form.submit(verb):
        link, token = made[0]
        url = request.build_absolute_uri(reverse("organisation:shared", args=[token]))
        context = {"connection": found, "link": link, "url": url}
        return show(request, organisation, "connection_shared", SECTION, context)
    context = {
        "form": form,
        "connection": found,
        "gives_secret": policies.gives_secret(found),
        "days": actions.LINK_LIFETIME.days,
    }
    return show(request, organisation, "connection_share", SECTION, context)


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def end(
    request: HttpRequest, organisation: Organisation, connection_id: int, link_id: int
) -> HttpResponse:
    found = connection_in(organisation, connection_id)
    link = found.shared_links.live().filter(pk=link_id).first()
    if link is None:
        raise Http404
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.submit(lambda: actions.revoke_link(link, by=visitor(request))):
        messages.success(request, f"The link for {link.name} has ended.")
        return redirect("organisation:connection", organisation.pk, found.pk)
    context = {
        "form": form,
        "caption": link.name,
        "title": "End this link",
        "text": "Whoever has it sees nothing any more.",
        "button": "End this link",
        "is_warning": True,
    }
    return show(request, organisation, "confirm", SECTION, context)


@public
@require_http_methods(["GET", "POST"])
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The values; and once, after the button, the secret."""
    link = _linked(token)
    if not link.is_live:
        return _page(request, "shared_ended", {}, status=410)
    context: dict[str, object] = {"refusal": "", "secret": ""}
    if request.method == "POST":
        try:
            context["username"], context["secret"] = actions.open_link(link)
        except PolicyError as refusal:
            context["refusal"] = str(refusal)
        link.refresh_from_db()
    its = connection_values.build(link.connection, password=str(context["secret"]))
    context |= {
        "token": token,
        "link": link,
        "values": its,
        "guides": setup_guides.guides_for(its),
        "may_open": policies.gives_secret(link.connection) and not link.opened_at,
    }
    return _page(request, "shared", context)


@public
@require_GET
def shared_guide(request: HttpRequest, token: str, key: str) -> HttpResponse:
    its, chosen = _shared_guide(token, key)
    context = {
        "token": token,
        "values": its,
        "guide": chosen,
        "text": setup_guides.render(chosen, its) if chosen.file_name else "",
    }
    return _page(request, "shared_guide", context)


@public
@require_GET
def shared_guide_file(request: HttpRequest, token: str, key: str) -> HttpResponse:
    its, chosen = _shared_guide(token, key)
    return as_file(chosen, its)


def _shared_guide(
    token: str, key: str
) -> tuple[connection_values.ConnectionValues, setup_guides.Guide]:
    link = _linked(token)
    its = connection_values.build(link.connection)
    chosen = setup_guides.find(key, its)
    if chosen is None or not link.is_live:
        raise Http404
    return its, chosen


def _linked(token: str) -> SharedLink:
    link = actions.find_link(token)
    if link is None:
        raise Http404
    return link


def _page(
    request: HttpRequest, template: str, context: dict[str, object], status: int = 200
) -> HttpResponse:
    return render(request, f"organisation/{template}.html", context, status=status)
