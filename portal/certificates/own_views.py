"""A certificate's own page and files, for the person who made it."""

from __future__ import annotations

import json
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from engine.certificates.models import Certificate
from engine.registry.errors import PolicyError
from engine.registry.permissions.view_guards import signed_in
from engine.secrets.secret_keys import UnknownKeyError
from portal.certificates import making, presentation
from portal.certificates import pdf as certificate_pdf
from portal.ui.visitor import signed_in_person


@signed_in
@require_safe
@cache_control(private=True, no_store=True)
def show(request: HttpRequest, number: UUID) -> HttpResponse:
    """Shows what the certificate states, and offers its files."""
    certificate = _own(request, number)
    statement = json.loads(certificate.document)["certificate"]
    context = {
        "certificate": certificate,
        "statement": statement,
        "tables": presentation.tables(statement),
    }
    return render(request, "certificates/show.html", context)


@signed_in
@require_safe
@cache_control(private=True, no_store=True)
def pdf(request: HttpRequest, number: UUID) -> HttpResponse:
    """Downloads the certificate as a signed PDF."""
    certificate = _own(request, number)
    try:
        making.count(signed_in_person(request))
    except PolicyError:
        return render(request, "429.html", status=429)
    try:
        file = certificate_pdf.render(certificate)
    except UnknownKeyError:
        return render(
            request, "certificates/no_key.html", {"reason": making.NO_KEY}, status=503
        )
    return _download(file, "application/pdf", certificate, "pdf")


@signed_in
@require_safe
@cache_control(private=True, no_store=True)
def document(request: HttpRequest, number: UUID) -> HttpResponse:
    """Downloads the certificate as signed JSON."""
    certificate = _own(request, number)
    file = certificate.document.encode()
    return _download(file, "application/json", certificate, "json")


def _own(request: HttpRequest, number: UUID) -> Certificate:
    person = signed_in_person(request)
    found = Certificate.objects.filter(number=number, person_id=person.pk).first()
    if found is None:
        raise Http404
    return found


def _download(
    file: bytes, content_type: str, certificate: Certificate, ending: str
) -> HttpResponse:
    response = HttpResponse(file, content_type=content_type)
    name = f"delivery-certificate-{certificate.reference}.{ending}"
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response
