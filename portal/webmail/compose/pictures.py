"""Endpoints for pictures in the text: the editor adds them, and shows them."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from engine.registry.errors import PolicyError
from engine.storage import content
from portal.webmail.access import requires_mail
from portal.webmail.compose.compose_request import load_compose_request
from portal.webmail.drafts import pictures
from portal.webmail.models import DraftFile


@requires_mail
@require_POST
def add(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Stores a picture; answers with its address, or with why it was refused."""
    compose_request = load_compose_request(request, mailbox_id, token)
    if compose_request.home is None or not compose_request.form.is_valid():
        raise Http404
    try:
        rows = [
            pictures.add(
                upload,
                mailbox=compose_request.home,
                token=token,
                by=compose_request.mailboxes.person,
            )
            for upload in compose_request.form.uploads()[:1]
        ]
    except PolicyError as error:
        return JsonResponse({"problem": str(error)}, status=422)
    if not rows:
        return JsonResponse({"problem": "Choose a picture."}, status=422)
    return JsonResponse({"src": pictures.url(rows[0])})


@requires_mail
@require_safe
def show(
    request: HttpRequest, mailbox_id: int, token: UUID, file_id: int
) -> HttpResponse:
    """Returns the octets of a picture in the text, to those who may read the draft."""
    compose_request = load_compose_request(request, mailbox_id, token)
    rows = DraftFile.objects.filter(mailbox=compose_request.home, token=token)
    rows = rows.exclude(picture_id="").select_related("content", "mailbox")
    row = get_object_or_404(rows, pk=file_id)
    answer = HttpResponse(content.read(row), content_type=row.content_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
