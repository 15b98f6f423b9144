"""Downloads of the welcome letter, by its signed link or as a signed-in administrator.

Opening a page changes nothing, because mail scanners open links too; its button does.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import public, requires
from onboarding import certificate_authority, signed_links
from onboarding.letters import welcome_letters
from onboarding.models import Letter
from onboarding.views.applicant_session import public_page, read_or_write


@public_page
def linked(request: HttpRequest, token: str) -> HttpResponse:
    """Shows and downloads the letter by its mailed link, once."""
    try:
        letter = signed_links.linked_letter(token)
    except signed_links.ForgedLinkError as forged:
        raise Http404 from forged
    except signed_links.ExpiredLinkError:
        return render(request, "onboarding/letters/link_ended.html", status=410)
    if request.method != "POST":
        return _page(request, letter)
    try:
        return _pdf(request, letter, by=None)
    except PolicyError:
        return render(request, "onboarding/letters/link_ended.html", status=410)


@requires(Permission.MANAGE_CONNECTIONS)
@read_or_write
def own(request: HttpRequest) -> HttpResponse:
    """Shows the newest letter of the administrator's organisation, and downloads it."""
    person, letter = _own(request)
    if request.method == "POST" and letter.is_readable:
        return _pdf(request, letter, by=person)
    context = {"can_reissue": welcome_letters.can_reissue(letter.organisation)}
    return _page(request, letter, context)


@requires(Permission.MANAGE_CONNECTIONS)
@require_POST
def reissue(request: HttpRequest) -> HttpResponse:
    """Requests another letter, with a new credential if the connection uses one."""
    person, letter = _own(request)
    try:
        welcome_letters.reissue(letter.organisation, by=person)
    except PolicyError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            "We are preparing a new letter. We will email you when it is ready.",
        )
    return redirect("onboarding:own_letter")


def _own(request: HttpRequest) -> tuple[Person, Letter]:
    """Returns the visitor and their organisation's newest letter. Raises Http404."""
    person = request.user
    if not isinstance(person, Person) or person.organisation is None:
        raise Http404
    letter = person.organisation.letters.select_related("application").first()
    if letter is None:
        raise Http404
    return person, letter


@public
@require_GET
def authority_certificate(request: HttpRequest) -> HttpResponse:
    """Downloads the certificate of our private certificate authority, if we use one."""
    certificate = certificate_authority.find()
    if certificate is None:
        raise Http404
    return HttpResponse(
        certificate_authority.pem(certificate),
        content_type="application/x-pem-file",
        headers={"Content-Disposition": 'attachment; filename="postern-ca.pem"'},
    )


def _page(
    request: HttpRequest, letter: Letter, more: dict[str, bool] | None = None
) -> HttpResponse:
    context = {"letter": letter, "application": letter.application, **(more or {})}
    return render(request, "onboarding/letters/download.html", context)


def _pdf(request: HttpRequest, letter: Letter, *, by: Person | None) -> HttpResponse:
    address = request.META.get("REMOTE_ADDR") or None
    name = f"welcome-{letter.application.reference}.pdf"
    return HttpResponse(
        welcome_letters.download(letter, address=address, by=by),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
