"""What the pages of a message and of an attached message have in common."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from portal.webmail.rendering import message_html, plain_text
from portal.webmail.rendering.parsed_message import (
    AddressField,
    ParsedMessage,
    ShownAttachment,
)

# Files listed on the page of one message; the others are in the download.
FILES_SHOWN = 200

# Blocks scripts, requests and form submissions. Links open in a new tab, which is not
# sandboxed.
CONTENT_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)

# For the unseen copy whose height a script of ours reads: it has our origin, and nothing in
# it can be clicked or may run.
RULER_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)

# Header fields shown at the top of a message, by label.
ADDRESS_FIELDS = {
    "From": "From",
    "To": "To",
    "Cc": "Cc",
    "Bcc": "Bcc",
    "Reply to": "Reply-To",
}


@dataclass(frozen=True, slots=True)
class FileList:
    """The files that a page lists, and how many it does not."""

    shown: list[ShownAttachment]
    hidden: int

    @classmethod
    def of(cls, files: list[ShownAttachment]) -> FileList:
        """Returns the first FILES_SHOWN files."""
        return cls(files[:FILES_SHOWN], max(0, len(files) - FILES_SHOWN))

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self.shown) + self.hidden


def address_fields(parsed: ParsedMessage) -> dict[str, AddressField]:
    """Returns the address fields at the top of a message, by label."""
    return {label: parsed.address_field(name) for label, name in ADDRESS_FIELDS.items()}


def words(
    request: HttpRequest, parsed: ParsedMessage, frame_url: str
) -> dict[str, object]:
    """Returns the context of the message's words, files and attached messages.

    The words are the URL of the frame, or a page of text. Pictures that the HTML embeds
    are listed as files where the HTML is not shown.
    """
    shown = {"other_forms": parsed.other_forms, "inner": parsed.inner_messages()}
    if parsed.has_html and request.GET.get("view") != "text":
        files = FileList.of(parsed.attachments)
        return {**shown, "frame_url": frame_url, "files": files}
    text = plain_text.page(parsed.whole_text(), request.GET.get("from", ""))
    return {**shown, **text, "files": FileList.of(parsed.all_files)}


def frame(
    request: HttpRequest, parsed: ParsedMessage, subject: str, page_url: str
) -> HttpResponse:
    """Returns the document for the sandboxed frame, or with `?measure=1` for the ruler.

    `page_url` is the page that shows the same words as plain text, with `?view=text`.
    """
    context = {
        "document": message_html.document_of(parsed.reading),
        "subject": subject,
        "page_url": page_url,
    }
    response = HttpResponse(
        render_to_string("webmail/mailbox/message_html.html", context)
    )
    # The ruler is for frames of our pages alone: opened by itself, it is the usual document.
    is_ruler = "measure" in request.GET and (
        request.headers.get("Sec-Fetch-Dest") == "iframe"
    )
    response["Content-Security-Policy"] = RULER_POLICY if is_ruler else CONTENT_POLICY
    response["Referrer-Policy"] = "no-referrer"
    return response
