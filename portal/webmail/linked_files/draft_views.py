"""Adds files that are sent as links to a draft: a page, and what scripts call."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from engine.linked_files import limits, sending, upload
from engine.linked_files.models import LinkedFile
from engine.registry.errors import PolicyError
from portal.webmail.access import requires_mail
from portal.webmail.compose.compose_request import ComposeRequest, load_compose_request
from portal.webmail.drafts import draft_store
from portal.webmail.request_ids import parse_id
from portal.webmail.sidebar import sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def add_page(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Shows what may be sent as a link; on POST, adds the chosen files."""
    compose_request = _load(request, mailbox_id, token)
    errors: list[str] = []
    if request.method == "POST":
        errors = _add(compose_request)
        if not errors:
            return redirect(f"{compose_request.draft_url(compose_request.kept)}#links")
    home = compose_request.home
    person = compose_request.mailboxes.person
    context = {
        "sidebar": sidebar(compose_request.mailboxes, compose_request.access),
        "draft_url": compose_request.draft_url(compose_request.kept),
        "room": limits.room_of(person, home.organisation_id if home else 0),
        "largest": limits.file_limit(),
        "most_files": limits.MOST_FILES,
        "errors": errors,
        "linked": compose_request.linked,
    }
    return render(request, "webmail/linked_files/add.html", context)


@requires_mail
@require_POST
def add(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Adds files for a script; answers with the list of files and what was refused."""
    compose_request = _load(request, mailbox_id, token)
    errors = _add(compose_request)
    return _list(request, compose_request, errors)


@requires_mail
@require_POST
def remove(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Removes a file for a script; answers with the list of files."""
    compose_request = _load(request, mailbox_id, token)
    file_id = parse_id(request.POST.get("file", ""))
    if compose_request.home and file_id is not None:
        sending.remove(file_id, mailbox=compose_request.home, token=token)
        draft_store.update_attachment_flag(token, mailbox=compose_request.home)
    return _list(request, compose_request, [])


def _load(request: HttpRequest, mailbox_id: int, token: UUID) -> ComposeRequest:
    compose_request = load_compose_request(request, mailbox_id, token)
    if compose_request.home is None or not limits.is_on():
        raise Http404
    return compose_request


def _add(compose_request: ComposeRequest) -> list[str]:
    """Adds the posted files; returns a sentence for each that was refused."""
    home, form = compose_request.home, compose_request.form
    if home is None or not form.is_valid():
        return ["Choose a file, and try again."]
    uploads = form.uploads()
    errors = [] if uploads else ["Choose a file."]
    for one in uploads:
        try:
            upload.add(
                one.name,
                one.content_type,
                one.chunks,
                mailbox=home,
                token=compose_request.kept.token,
                by=compose_request.mailboxes.person,
            )
        except PolicyError as error:
            errors.append(str(error))
    draft_store.update_attachment_flag(compose_request.kept.token, mailbox=home)
    return errors


def _list(
    request: HttpRequest, compose_request: ComposeRequest, errors: Iterable[str]
) -> HttpResponse:
    linked: list[LinkedFile] = compose_request.linked
    return render(
        request,
        "webmail/linked_files/draft_list.html",
        {"linked": linked, "errors": errors},
        status=422 if errors else 200,
    )
