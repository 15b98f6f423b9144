"""The certificate as a signed PDF, which carries the signed JSON as an attached file."""

from __future__ import annotations

import base64
import json
from importlib import import_module
from typing import Any

import qrcode
from django.conf import settings
from qrcode.image.svg import SvgPathImage

from engine.certificates.models import Certificate
from onboarding.letters import letters
from portal.certificates import presentation

ATTACHED = "certificate.json"


def render(certificate: Certificate) -> bytes:
    """Renders and signs the PDF. Raises UnknownKeyError.

    Another copy states the same, and has a signature of its own.
    """
    document = json.loads(certificate.document)
    statement: dict[str, Any] = document["certificate"]
    page = statement["community"]["verification_page"]
    context = {
        "statement": statement,
        "tables": presentation.tables(statement),
        "key_id": document["signature"]["key"],
        "page": page,
        "qr_code": _qr_code(page),
        "postern": settings.POSTERN,
    }
    unsigned = letters.to_pdf(
        "certificates/pdf.html",
        context,
        allowed_protocols=("data",),
        attachments={ATTACHED: certificate.document.encode()},
    )
    # As the renderer: left to the first PDF, because pyHanko is slow to import.
    signing = import_module("engine.certificates.pdf_signing")
    signed: bytes = signing.sign(
        unsigned, reason=f"Delivery certificate {certificate.number}"
    )
    return signed


def _qr_code(text: str) -> str:
    """Returns a QR code as the URL of a picture."""
    picture = qrcode.make(text, image_factory=SvgPathImage, border=0).to_string()
    return f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"
