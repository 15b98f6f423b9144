"""Every place that reads a message, each by the function that it uses itself."""

from __future__ import annotations

import re
import tempfile
from base64 import b64decode
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.utils import timezone

from api.v1.messages import stored_messages
from engine.mail.message import split
from engine.storage.models import Content, Message
from engine.storage.search import document
from engine.storage.search.document import Words
from portal.console.mail import outbox
from portal.helpdesk.intake import message_content
from portal.webmail.compose import reply_drafts
from portal.webmail.rendering import message_html, message_page, parsed_message
from portal.webmail.rendering.parsed_message import ParsedMessage, WholeMessage

_TAG = re.compile(r"<[^>]*>")
_PICTURE = re.compile(r"data:image/[\w+.-]+;base64,([^\"]+)")


@dataclass(slots=True)
class Seen:
    """What a surface gives of a message.

    `views` are texts that say the same in different ways; a reader has one at a time.
    """

    views: list[str] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    messages: list[Seen] = field(default_factory=list)

    def has(self, mark: str, word: str) -> bool:
        """Whether a mark is shown, or its word, which any charset leaves, in a file."""
        octets = word.encode()
        return any(mark in view for view in self.views) or any(
            octets in file for file in (*self.files, *self.pictures)
        )

    def most(self, mark: str) -> int:
        """How often a reader meets a word: in one view, and among the files."""
        in_files = sum(mark.encode() in file for file in self.files)
        return max([in_files, *(view.count(mark) for view in self.views)])


def webmail(raw: bytes) -> Seen:
    """The page of a message with all that one click on it leads to."""
    whole = parsed_message.parse_message(raw)
    return _page(whole, whole)


def _page(parsed: ParsedMessage, whole: WholeMessage) -> Seen:
    plain = _words(parsed, "?view=text")
    as_it_opens = _words(parsed, "")
    listed = as_it_opens["files"].shown
    seen = Seen([unescape(_TAG.sub("", str(plain["text"])))])
    if "frame_url" in as_it_opens:
        html = "".join(message_html.document_of(parsed.reading).pieces)
        seen.pictures = [b64decode(found) for found in _PICTURE.findall(html)]
        seen.views.append(unescape(_TAG.sub("", html)))
    offered = [*listed, *parsed.other_forms]
    also = [file for file in plain["files"].shown if file not in listed]
    seen.files = [file.part.data() for file in (*offered, *also)]
    for file in listed:
        if file.is_message and (inner := whole.attached(file.path)) is not None:
            seen.messages.append(_page(inner, whole))
    return seen


def _words(parsed: ParsedMessage, query: str) -> dict[str, object]:
    return message_page.words(RequestFactory().get(f"/{query}"), parsed, "/frame/")


def text_view(raw: bytes) -> Seen:
    words = _words(parsed_message.parse_message(raw), "?view=text")
    text = unescape(_TAG.sub("", str(words["text"])))
    return Seen([text], [file.part.data() for file in words["files"].shown])


def printed(raw: bytes) -> Seen:
    parsed = parsed_message.parse_message(raw)
    files = message_page.FileList.of(parsed.all_files)
    return Seen([parsed.whole_text()], [file.part.data() for file in files.shown])


def reply(raw: bytes) -> Seen:
    parsed = parsed_message.parse_message(raw)
    draft = reply_drafts.reply(_stored(raw), parsed, own=frozenset(), to_all=False)
    return Seen([draft.text])


def forward(raw: bytes) -> Seen:
    parsed = parsed_message.parse_message(raw)
    draft = reply_drafts.forward(_stored(raw), parsed, attached=False)
    files = reply_drafts.forwarded_files(parsed, attached=False)
    return Seen([draft.text], [file.data for file in files])


def edit_as_new(raw: bytes) -> Seen:
    parsed = parsed_message.parse_message(raw)
    files = reply_drafts.forwarded_files(parsed, attached=False)
    text = reply_drafts.again(parsed, uuid4(), keeps_html=True).text
    return Seen([text], [file.data for file in files])


def api(raw: bytes) -> Seen:
    """What a client reads, and what it can download by the paths that are listed."""
    with pytest.MonkeyPatch.context() as patch:
        # Each reading is recorded, which needs the database.
        patch.setattr(stored_messages, "_record", lambda *_, by: None)
        read = stored_messages.read_parsed(_stored(raw), by=None)
        forms = [part for part in read.parts if part.alternative_to]
        listed = [*read.attachments, *forms]
        parts = [
            stored_messages.read_part(_stored(raw), part.path, by=None)[1]
            for part in listed
        ]
    html = unescape(_TAG.sub("", read.html))
    return Seen([read.text, html], [part.data() for part in parts])


def search(raw: bytes) -> Seen:
    """The words that find the message, folded as a search is."""
    pieces = document.Document(_stored(raw)).pieces()
    return Seen([" ".join(word for one in pieces for word in one.get(Words.TEXT, []))])


def ticket(raw: bytes) -> Seen:
    content = message_content.content_of(*split(raw))
    folded = [fold.text for fold in content.folded]
    return Seen(
        ["\n".join([content.text, *folded])], [file.data for file in content.files]
    )


def console_outbox(raw: bytes) -> Seen:
    """The page of a notice; it names the files, which it does not offer."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder, "notice.eml").write_bytes(raw)
        patch.setattr(outbox, "_folder", lambda: Path(folder))
        return Seen([outbox.read("notice.eml").text])


def _stored(raw: bytes) -> Message:
    """Returns a message as storage holds it, without a row in the database."""
    header, body = split(raw)
    content = Content(
        format=Content.PLAIN, size=len(raw), header=header, body=body, blob_key=""
    )
    return Message(
        pk=1,
        mailbox_id=1,
        content=content,
        subject="A tree",
        from_address="jane@firm.example",
        from_name="Jane",
        message_id="<tree@firm.example>",
        received_at=timezone.now(),
    )
