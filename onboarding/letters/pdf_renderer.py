"""Renders HTML as tagged PDF/UA-1, by WeasyPrint.

`letters.to_pdf` imports this for a process's first PDF: WeasyPrint takes a fifth of the
time in which the website starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weasyprint import HTML, Attachment
from weasyprint.urls import FatalURLFetchingError, URLFetcher


def render(
    html: str,
    *,
    allowed_protocols: Sequence[str],
    base_url: str | None,
    attachments: Mapping[str, bytes] | None = None,
) -> bytes:
    """Renders a page; `base_url` makes its relative links absolute.

    `attachments` are files inside the PDF with the same facts in another form, by name.

    Raises ValueError for a URL whose protocol is not allowed, or that cannot be fetched.
    """
    page = HTML(string=html, base_url=base_url, url_fetcher=_fetcher(allowed_protocols))
    try:
        pdf: bytes = page.write_pdf(
            pdf_variant="pdf/ua-1",
            pdf_tags=True,
            attachments=[
                Attachment(
                    string=data,
                    name=name,
                    description="The same facts, for programs",
                    relationship="Alternative",
                )
                for name, data in (attachments or {}).items()
            ],
        )
    except FatalURLFetchingError as error:
        # A BaseException (WeasyPrint 70.0), which would end a worker's process.
        raise ValueError(f"{error}: {error.__cause__}") from error
    return pdf


def _fetcher(allowed_protocols: Sequence[str]) -> URLFetcher:
    return URLFetcher(allowed_protocols=tuple(allowed_protocols), fail_on_errors=True)
