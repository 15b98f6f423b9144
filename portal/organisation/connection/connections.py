"""The organisation's connections: values, settings, passwords and the tenant secret."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.actions import connections
from engine.registry.errors import PolicyError
from engine.registry.models import (
    Connection,
    ConnectionCredential,
    Organisation,
    Person,
    Proof,
)
from engine.registry.permissions import Permission
from onboarding.connecting import actions, connection_values, policies, setup_guides
from onboarding.connecting.models import Watch
from portal.organisation.confirmation import confirmed_view
from portal.organisation.connection.forms import CLOUD, FORMS, parts_of
from portal.organisation.frame import organisation_view, render_section
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import post_data
from portal.ui.visitor import signed_in_person

SECTION = "connections"
CONNECTIONS = organisation_view(Permission.MANAGE_CONNECTIONS)


def get_connection(organisation: Organisation, connection_id: int) -> Connection:
    """Returns a connection of the organisation. Raises Http404."""
    found = organisation.connections.filter(pk=connection_id).first()
    if found is None:
        raise Http404
    found.organisation = organisation
    return found


@CONNECTIONS
@require_GET
def index(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    """The organisation's connections; a single one opens immediately."""
    own = list(organisation.connections.all())
    if len(own) == 1:
        return redirect(_url(own[0]))
    return render_section(
        request, organisation, "connections", SECTION, {"connections": own}
    )


@CONNECTIONS
@require_GET
def show(
    request: HttpRequest, organisation: Organisation, connection_id: int
) -> HttpResponse:
    """One connection: values, guides, passwords, links and tests."""
    found = get_connection(organisation, connection_id)
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
    return render_section(request, organisation, "connection", SECTION, context)


@CONNECTIONS
@require_GET
def guide(
    request: HttpRequest, organisation: Organisation, connection_id: int, key: str
) -> HttpResponse:
    """The set-up guide for one kind of server or provider."""
    its = connection_values.build(get_connection(organisation, connection_id))
    chosen = _guide(key, its)
    context = {
        "connection": its.connection,
        "values": its,
        "guide": chosen,
        "text": setup_guides.render(chosen, its) if chosen.file_name else "",
        "has_tenant_secret": policies.has_tenant_secret(its.connection),
    }
    return render_section(request, organisation, "connection_guide", SECTION, context)


@CONNECTIONS
@require_GET
def guide_file(
    request: HttpRequest, organisation: Organisation, connection_id: int, key: str
) -> HttpResponse:
    """Downloads a set-up guide's script or configuration."""
    its = connection_values.build(get_connection(organisation, connection_id))
    return as_file(_guide(key, its), its)


def _guide(key: str, its: connection_values.ConnectionValues) -> setup_guides.Guide:
    chosen = setup_guides.find(key, its)
    if chosen is None:
        raise Http404
    return chosen


def as_file(
    chosen: setup_guides.Guide, its: connection_values.ConnectionValues
) -> HttpResponse:
    """Returns the guide as a download. Raises Http404 for a guide without a file."""
    if not chosen.file_name:
        raise Http404
    text = setup_guides.render(chosen, its)
    # Without a byte order mark, PowerShell 5.1 reads a script as the legacy code page.
    mark = "\ufeff" if chosen.file_name.endswith(".ps1") else ""
    return HttpResponse(
        mark + text,
        content_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{chosen.file_name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@CONNECTIONS
@require_http_methods(["GET", "POST"])
def edit(
    request: HttpRequest, organisation: Organisation, connection_id: int, part: str
) -> HttpResponse:
    """Changes one part of the settings, from the next message on."""
    found = get_connection(organisation, connection_id)
    if part not in dict(parts_of(organisation)):
        raise Http404
    form_class = FORMS[part]
    form = form_class(post_data(request), initial=form_class.initial_of(found))

    def run() -> None:
        if part == CLOUD:
            connections.set_cloud(
                found, by=signed_in_person(request), **form.cleaned_data
            )
        else:
            connections.edit(
                found, by=signed_in_person(request), **form.fields_of(found)
            )

    if form.submit(run, field=form.refusal_field):
        messages.success(request, "Saved. It applies from the next message on.")
        return redirect(_url(found))
    context = {"form": form, "connection": found, "title": form_class.title}
    return render_section(request, organisation, "connection_edit", SECTION, context)


def _url(connection: Connection) -> str:
    keys = [connection.organisation_id, connection.pk]
    return reverse("organisation:connection", args=keys)


def _describe_new_password(connection: Connection, by: Person) -> Confirmation:
    return Confirmation(
        title="Make a new password",
        text="Your present passwords continue to work, so that you can change over. End "
        "the old one when your server uses the new one.",
        button="Make a new password",
        done="",
        caption=connection.name,
    )


def _add_password(connection: Connection, *, by: Person) -> str:
    if connection.proof != Proof.CREDENTIAL:
        raise PolicyError("This connection does not sign in with a password.")
    _, secret = connections.add_credential(connection, by=by)
    return secret


def _show_password(
    request: HttpRequest, connection: Connection, secret: str
) -> HttpResponse:
    context = {
        "connection": connection,
        "values": connection_values.build(connection, password=secret),
    }
    return render_section(
        request, connection.organisation, "connection_password", SECTION, context
    )


def _find_credential(
    organisation: Organisation, connection_id: int, credential_id: int
) -> ConnectionCredential:
    connection = get_connection(organisation, connection_id)
    found = connection.credentials.filter(pk=credential_id, revoked_at=None).first()
    if found is None:
        raise Http404
    return found


def _describe_password_end(
    credential: ConnectionCredential, by: Person
) -> Confirmation:
    live = credential.connection.credentials.filter(revoked_at=None).count()
    text = "A server that still uses it can no longer send."
    if live == 1:
        text += " It is the only one: your mail to the community will stop."
    return Confirmation(
        title="End this password",
        text=text,
        button="End this password",
        done=f"{credential.username} can no longer be used to sign in.",
        caption=credential.username,
        is_warning=True,
    )


def _describe_tenant(connection: Connection, by: Person) -> Confirmation:
    return Confirmation(
        title="Show the tenant secret",
        text="Another customer of your provider who knows it could send mail in your "
        "name. Your history records that you looked.",
        button="Show the secret",
        done="",
        caption=connection.name,
    )


def _show_tenant(
    request: HttpRequest, connection: Connection, secret: str
) -> HttpResponse:
    context = {"connection": connection, "secret": secret}
    return render_section(
        request, connection.organisation, "connection_tenant", SECTION, context
    )


new_password = confirmed_view(
    CONNECTIONS,
    SECTION,
    get_connection,
    ConfirmedAction(_describe_new_password, _add_password, show_result=_show_password),
    back=lambda connection, by: _url(connection),
)
end_password = confirmed_view(
    CONNECTIONS,
    SECTION,
    _find_credential,
    ConfirmedAction(_describe_password_end, connections.revoke_credential),
    back=lambda credential, by: _url(credential.connection),
)
tenant_secret = confirmed_view(
    CONNECTIONS,
    SECTION,
    get_connection,
    ConfirmedAction(_describe_tenant, actions.show_tenant, show_result=_show_tenant),
    back=lambda connection, by: _url(connection),
)
