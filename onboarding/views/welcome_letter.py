"""The welcome letter: by its signed link, or signed in as an administrator.

Opening a page changes nothing, whoever opens it (mail scanners do); the button does.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from engine.registry.access import public, requires
from engine.registry.models import Person
from engine.registry.permissions import Permission
from onboarding import actions, authority, links
from onboarding.models import Letter
from onboarding.views.application import read_or_write


@public
@never_cache
@read_or_write
def linked(request: HttpRequest, token: str) -> HttpResponse:
    try:
        letter = links.linked_letter(token)
    except links.ForgedLinkError as forged:
        raise Http404 from forged
    except links.ExpiredLinkError:
        return render(request, "onboarding/letter_expired.html", status=410)
    return _page_or_letter(request, letter, by=None)


@requires(Permission.MANAGE_CONNECTIONS)
@never_cache
@read_or_write
def own(request: HttpRequest) -> HttpResponse:
    """The letter of the organisation whose administrator is signed in."""
    person = request.user
    if not isinstance(person, Person) or person.organisation is None:
        raise Http404
    letter = person.organisation.letters.order_by("-id").first()
    if letter is None:
        raise Http404
    return _page_or_letter(request, letter, by=person)


@public
@require_GET
def authority_certificate(request: HttpRequest) -> HttpResponse:
    """The certificate of the authority that issued ours, where that is a private one."""
    certificate = authority.find()
    if certificate is None:
        raise Http404
    return HttpResponse(
        authority.pem(certificate),
        content_type="application/x-pem-file",
        headers={"Content-Disposition": 'attachment; filename="postern-ca.pem"'},
    )


def _page_or_letter(
    request: HttpRequest, letter: Letter, *, by: Person | None
) -> HttpResponse:
    if request.method != "POST":
        context = {"letter": letter, "application": letter.application}
        return render(request, "onboarding/letter.html", context)
    name = f"welcome-{letter.application.reference}.pdf"
    return HttpResponse(
        actions.download_letter(letter, by=by),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
