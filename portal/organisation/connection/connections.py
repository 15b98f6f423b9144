"""A connection's values, and the settings that an administrator changes."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import connections
from engine.registry.models import Connection, Organisation, Proof
from engine.registry.permissions import Permission
from onboarding.connecting import actions, connection_values, policies, setup_guides
from onboarding.connecting.models import Watch
from portal.organisation.connection.forms import CLOUD, FORMS, parts_of
from portal.organisation.frame import show, visitor, within
from portal.ui.forms import ConfirmForm

SECTION = "connections"
KEEPER = Permission.MANAGE_CONNECTIONS


def connection_in(organisation: Organisation, connection_id: int) -> Connection:
    """Raises Http404 for one that is not the organisation's."""
    found = organisation.connections.filter(pk=connection_id).first()
    if found is None:
        raise Http404
    found.organisation = organisation
    return found


@within(KEEPER)
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The organisation's connections; where there is one, the way straight to it."""
    own = list(organisation.connections.all())
    if len(own) == 1:
        return redirect("organisation:connection", organisation.pk, own[0].pk)
    return show(request, organisation, "connections", SECTION, {"connections": own})


@within(KEEPER)
@require_GET
def connection(
    request: HttpRequest, organisation: Organisation, connection_id: int
) -> HttpResponse:
    found = connection_in(organisation, connection_id)
    its = connection_values.build(found)
    context = {
        "connection": found,
        "values": its,
        "guides": setup_guides.guides_for(its),
        "credentials": found.credentials.filter(revoked_at=None).order_by("pk"),
        "has_tenant_secret": policies.has_tenant_secret(found),
        "links": found.shared_links.live().select_related("made_by"),
        "watch": Watch.objects.filter(connection=found).first(),
        "last": found.rehearsals.prefetch_related("steps").first(),
        "unproved": organisation.domains.filter(verified_at=None).count(),
        "domains": organisation.domains.all(),
        "parts": parts_of(organisation),
    }
    return show(request, organisation, "connection", SECTION, context)


@within(KEEPER)
@require_GET
def guide(
    request: HttpRequest, organisation: Organisation, connection_id: int, key: str
) -> HttpResponse:
    """What one kind of server or provider must be told."""
    its = connection_values.build(connection_in(organisation, connection_id))
    chosen = _guide(key, its)
    context = {
        "connection": its.connection,
        "values": its,
        "guide": chosen,
        "text": setup_guides.render(chosen, its) if chosen.file_name else "",
        "has_tenant_secret": policies.has_tenant_secret(its.connection),
    }
    return show(request, organisation, "connection_guide", SECTION, context)


@within(KEEPER)
@require_GET
def guide_file(
    request: HttpRequest, organisation: Organisation, connection_id: int, key: str
) -> HttpResponse:
    its = connection_values.build(connection_in(organisation, connection_id))
    return as_file(_guide(key, its), its)


def _guide(key: str, its: connection_values.ConnectionValues) -> setup_guides.Guide:
    chosen = setup_guides.find(key, its)
    if chosen is None:
        raise Http404
    return chosen


def as_file(
    chosen: setup_guides.Guide, its: connection_values.ConnectionValues
) -> HttpResponse:
    """Raises Http404 where the guide is a page only."""
    if not chosen.file_name:
        raise Http404
    text = setup_guides.render(chosen, its)
    # PowerShell 5.1 takes a script without this mark for an older encoding.
    mark = "\ufeff" if chosen.file_name.endswith(".ps1") else ""
    return HttpResponse(
        mark + text,
        content_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{chosen.file_name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, organisation: Organisation, connection_id: int, part: str
) -> HttpResponse:
    """Change one part of the settings. It holds for the next message."""
    found = connection_in(organisation, connection_id)
    if part not in dict(parts_of(organisation)):
        raise Http404
    form_class = FORMS[part]
    form = form_class(request.POST or None, initial=form_class.initial_of(found))

    def verb() -> None:
        if part == CLOUD:
            connections.set_cloud(found, by=visitor(request), **form.cleaned_data)
        else:
            connections.edit(found, by=visitor(request), **form.fields_of(found))

    if form.submit(verb, field=form.blamed):
        messages.success(request, "Saved. It holds from the next message on.")
        return redirect("organisation:connection", organisation.pk, found.pk)
    context = {"form": form, "connection": found, "title": form_class.title}
    return show(request, organisation, "connection_edit", SECTION, context)


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def new_password(
    request: HttpRequest, organisation: Organisation, connection_id: int
) -> HttpResponse:
    """Make a password beside those that work, and show it once."""
    found = connection_in(organisation, connection_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    made: list[str] = []

    def verb() -> None:
        _, secret = connections.add_credential(found, by=visitor(request))
        made.append(secret)

    if found.proof == Proof.CREDENTIAL and form.submit(verb):
        context = {
            "connection": found,
            "values": connection_values.build(found, password=made[0]),
        }
        return show(request, organisation, "connection_password", SECTION, context)
    context = {
        "form": form,
        "caption": found.name,
        "title": "Make a new password",
        "text": "The passwords that you have go on working, so that you can change "
        "over. End the old one when your server uses the new one.",
        "button": "Make a new password",
    }
    return show(request, organisation, "confirm", SECTION, context)


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def end_password(
    request: HttpRequest,
    organisation: Organisation,
    connection_id: int,
    credential_id: int,
) -> HttpResponse:
    found = connection_in(organisation, connection_id)
    credential = found.credentials.filter(pk=credential_id, revoked_at=None).first()
    if credential is None:
        raise Http404
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if form.submit(
        lambda: connections.revoke_credential(credential, by=visitor(request))
    ):
        messages.success(request, f"{credential.username} opens nothing any more.")
        return redirect("organisation:connection", organisation.pk, found.pk)
    live = found.credentials.filter(revoked_at=None).count()
    text = "A server that still uses it can no longer send."
    if live == 1:
        text += " It is the only one: your mail to the community will stop."
    context = {
        "form": form,
        "caption": credential.username,
        "title": "End this password",
        "text": text,
        "button": "End this password",
        "is_warning": True,
    }
    return show(request, organisation, "confirm", SECTION, context)


@within(KEEPER)
@require_http_methods(["GET", "POST"])
def tenant_secret(
    request: HttpRequest, organisation: Organisation, connection_id: int
) -> HttpResponse:
    """Show what the organisation's routing settings put into its mail."""
    found = connection_in(organisation, connection_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    shown: list[str] = []
    if form.submit(
        lambda: shown.append(actions.show_tenant(found, by=visitor(request)))
    ):
        context = {"connection": found, "secret": shown[0]}
        return show(request, organisation, "connection_tenant", SECTION, context)
    context = {
        "form": form,
        "caption": found.name,
        "title": "Show the tenant secret",
        "text": "Whoever knows it and is at your provider comes closer to passing for "
        "you. Your history shows that you looked.",
        "button": "Show the secret",
    }
    return show(request, organisation, "confirm", SECTION, context)
