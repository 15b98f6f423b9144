"""A connection's values for an IT department: by link, without signing in.

Opening the page changes nothing, because mail scanners open links too; the button does.
The URL is the key, so the referrer policy keeps it from other sites. A policy of
`no-referrer` would make browsers send the form with `Origin: null`, which Django's CSRF
check refuses.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from engine.registry.permissions.view_guards import public
from onboarding.connecting import actions, connection_values, policies, setup_guides
from onboarding.connecting.models import SharedLink
from portal.organisation.confirmation import confirmed_view
from portal.organisation.connection.connections import (
    CONNECTIONS,
    SECTION,
    as_file,
    get_connection,
)
from portal.organisation.connection.forms import ShareForm
from portal.organisation.frame import render_section
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import post_data
from portal.ui.visitor import signed_in_person


@CONNECTIONS
@require_http_methods(["GET", "POST"])
def share(
    request: HttpRequest, organisation: Organisation, connection_id: int
) -> HttpResponse:
    """Makes a link; its URL is shown once."""
    found = get_connection(organisation, connection_id)
    form = ShareForm(post_data(request))
    made: list[tuple[SharedLink, str]] = []

    def run() -> None:
        name = form.cleaned_data["name"]
        made.append(actions.share(found, name=name, by=signed_in_person(request)))

    if form.submit(run):
        link, token = made[0]
        url = request.build_absolute_uri(reverse("organisation:shared", args=[token]))
        context = {"connection": found, "link": link, "url": url}
        return render_section(
            request, organisation, "connection_shared", SECTION, context
        )
    context = {
        "form": form,
        "connection": found,
        "gives_secret": policies.gives_secret(found),
        "days": actions.LINK_LIFETIME.days,
    }
    return render_section(request, organisation, "connection_share", SECTION, context)


def _find_link(
    organisation: Organisation, connection_id: int, link_id: int
) -> SharedLink:
    connection = get_connection(organisation, connection_id)
    link = connection.shared_links.live().filter(pk=link_id).first()
    if link is None:
        raise Http404
    return link


def _describe_end(link: SharedLink, by: Person) -> Confirmation:
    return Confirmation(
        title="End this link",
        text="It no longer shows anything.",
        button="End this link",
        done=f"The link for {link.name} has ended.",
        caption=link.name,
        is_warning=True,
    )


end = confirmed_view(
    CONNECTIONS,
    SECTION,
    _find_link,
    ConfirmedAction(_describe_end, actions.revoke_link),
    back=lambda link, by: reverse(
        "organisation:connection",
        args=[link.connection.organisation_id, link.connection_id],
    ),
)


@public
@require_http_methods(["GET", "POST"])
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The values and, once, after the button, the secret."""
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
    """A set-up guide, by link."""
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
    """Downloads a set-up guide's file, by link."""
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
