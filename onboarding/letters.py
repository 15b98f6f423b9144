"""Papers for applicants as accessible PDFs: the welcome letter, and the signed terms.

A welcome letter is rendered once, kept as a file for a while, and read by few.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from weasyprint import HTML
from weasyprint.urls import URLFetcher

from engine import state
from engine.registry.models import Connection, Person
from onboarding import authority, links
from onboarding.models import Application, Letter, LinkPurpose, Signature
from onboarding.terms import clauses

# A letter is whole in itself: nothing is fetched from network or disk.
FETCHES_NOTHING = URLFetcher(allowed_protocols=(), fail_on_errors=True)


def render(
    application: Application,
    *,
    connection: Connection | None = None,
    username: str = "",
    secret: str = "",
) -> bytes:
    """The letter as PDF/UA-1. The secret stands in it exactly once."""
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
    return _pdf("onboarding/letters/welcome.html", context)


def render_terms(signature: Signature) -> bytes:
    """The terms as they were signed: the same paper however often it is asked for."""
    context: dict[str, object] = {
        "signature": signature,
        "application": signature.application,
        "clauses": clauses(signature.terms.text),
        "postern": settings.POSTERN,
    }
    return _pdf("onboarding/letters/terms.html", context)


def render_first_sign_in(person: Person, code: str) -> bytes:
    """A letter to somebody without an everyday address. Its code is in it exactly once."""
    context: dict[str, object] = {
        "person": person,
        "code": code,
        "page": links.absolute("onboarding:first_letter"),
        "ends_on": timezone.localdate() + LinkPurpose.FIRST.lifetime,
        "written_on": timezone.localdate(),
        "postern": settings.POSTERN,
    }
    return _pdf("onboarding/letters/first_sign_in.html", context)


def keep(pdf: bytes) -> str:
    """Write the letter where only this user reads it; return its random file name."""
    folder = _folder()
    state.make_private(folder)
    name = f"{secrets.token_urlsafe(24)}.pdf"
    with state.create(folder / name) as file:
        file.write(pdf)
        file.flush()
        os.fsync(file.fileno())
    return name


def read(letter: Letter) -> bytes:
    """Raises FileNotFoundError where it was never written or is no longer kept."""
    return (_folder() / (letter.file_name or "-")).read_bytes()


def remove(letter: Letter) -> None:
    """Take the file away; doing it again changes nothing."""
    discard(letter.file_name or "-")


def discard(file_name: str) -> None:
    """Take away a file that no letter is to hold."""
    (_folder() / file_name).unlink(missing_ok=True)


def _pdf(template: str, context: dict[str, object]) -> bytes:
    page = render_to_string(template, context)
    pdf: bytes = HTML(string=page, url_fetcher=FETCHES_NOTHING).write_pdf(
        pdf_variant="pdf/ua-1", pdf_tags=True
    )
    return pdf


def _folder() -> Path:
    folder: Path = settings.POSTERN.path("letters")
    return folder


def _authority() -> dict[str, str]:
    certificate = authority.find()
    if certificate is None:
        return {}
    return {
        "authority_url": links.absolute("onboarding:authority"),
        "authority_fingerprint": authority.fingerprint(certificate),
    }
