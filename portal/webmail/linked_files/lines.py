"""The lines of a message that hold the links to its files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.timezone import localtime

from engine.linked_files import sending
from engine.linked_files.models import LinkedFile
from portal.webmail.compose import draft_edits
from portal.webmail.drafts.draft import Draft
from portal.webmail.rendering import written_html

HEADING = "Files for the recipients of this message, sent as links:"
_BLOCK = re.compile(rf"\n*^{re.escape(HEADING)}\n(?:.+(?:\n|$))*", re.MULTILINE)


def with_lines(
    draft: Draft, files: Sequence[LinkedFile], expires_at: datetime
) -> Draft:
    """Returns the draft with a line for each file, above signature and quote."""
    if not files:
        return draft
    text = _text(files, expires_at)
    if draft.html:
        html = written_html.with_links(draft.html, text)
        return replace(draft, html=html, text=written_html.as_text(html))
    return draft_edits.with_text(draft, text)


def without_lines(draft: Draft) -> Draft:
    """Returns the draft of a message that was taken back without these lines."""
    if draft.html:
        html = written_html.without_links(draft.html)
        return replace(draft, html=html, text=written_html.as_text(html))
    return replace(draft, text=_BLOCK.sub("\n", draft.text.replace("\r\n", "\n")))


def _text(files: Sequence[LinkedFile], expires_at: datetime) -> str:
    until = date_format(localtime(expires_at), "j F Y")
    lines = [
        f"{file.name} ({filesizeformat(file.size)}, until {until}):\n"
        f"{sending.link_of(file)}"
        for file in files
    ]
    return "\n".join([HEADING, *lines])
