"""Renders letters as accessible PDFs (PDF/UA-1): welcome, signed terms, first sign-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib import import_module

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from engine.registry.models import Connection, Person
from onboarding import certificate_authority, signed_links
from onboarding.models import Application, Signature
from onboarding.terms import clauses


def to_pdf(
    template: str,
    context: dict[str, object],
    *,
    allowed_protocols: Sequence[str] = (),
    base_url: str | None = None,
    attachments: Mapping[str, bytes] | None = None,
) -> bytes:
    """Renders a template that extends `letters/frame.html` as tagged PDF/UA-1.

    `attachments` are files inside the PDF that say the same for programs, by name.
    `base_url` makes relative links absolute. Names in a letter come from strangers, and
    markup that slips through must not read a file or call a server. So no URL is fetched
    unless its protocol is allowed, and a refused one raises ValueError.
    """
    pdf: bytes = import_module("onboarding.letters.pdf_renderer").render(
        render_to_string(template, context),
        allowed_protocols=allowed_protocols,
        base_url=base_url,
        attachments=attachments,
    )
    return pdf


def render_welcome(
    application: Application,
    *,
    connection: Connection | None = None,
    username: str = "",
    secret: str = "",
) -> bytes:
    """Renders a welcome letter. The secret appears in it exactly once."""
    context: dict[str, object] = {
        "application": application,
        "is_exception": application.has_agreed_domain,
        "connection": connection,
        "username": username,
        "secret": secret,
        "postern": settings.POSTERN,
        "written_on": timezone.localdate(),
        "example_local": application.administrator_address.quoted_local,
        **_authority(),
    }
    return to_pdf("onboarding/letters/welcome.html", context)


def render_terms(signature: Signature) -> bytes:
    """Renders the terms as they were signed, the same on each request."""
    context: dict[str, object] = {
        "signature": signature,
        "application": signature.application,
        "clauses": clauses(signature.terms.text),
        "postern": settings.POSTERN,
    }
    return to_pdf("onboarding/letters/terms.html", context)


def render_first_sign_in(person: Person, code: str, *, ends_on: date) -> bytes:
    """Renders a first sign-in letter. The code appears in it exactly once.

    It works to the end of `ends_on`.
    """
    context: dict[str, object] = {
        "person": person,
        "code": code,
        "page": signed_links.absolute_url("onboarding:first_letter"),
        "ends_on": ends_on,
        "written_on": timezone.localdate(),
        "postern": settings.POSTERN,
    }
    return to_pdf("onboarding/letters/first_sign_in.html", context)


def _authority() -> dict[str, str]:
    certificate = certificate_authority.find()
    if certificate is None:
        return {}
    return {
        "authority_url": signed_links.absolute_url("onboarding:authority"),
        "authority_fingerprint": certificate_authority.fingerprint(certificate),
    }
