"""Files that a part wraps in a way older than MIME, or beside it, as parts of their own.

They are uuencoded within a text, or in the winmail.dat of Outlook (MS-OXTNEF). The
scanner and the attachment policy see them, and a reader can open them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.mail.header import HeaderBlock, new_field
from engine.mail.mime import (
    file_endings,
    file_names,
    parameters,
    tnef,
    transfer_encoding,
    uuencoded,
)
from engine.mail.mime.boundaries import Region
from engine.mail.mime.parts import Part
from engine.mail.mime.rtf import Budget
from engine.mail.mime.tnef import Tnef, TnefFile

# Types of the parts that may wrap files.
WRAPPERS = frozenset(("text/plain", "application/octet-stream")) | tnef.CONTENT_TYPES


def files_in(part: Part, rich_text: Budget) -> Iterator[Part]:
    """Yields the files in a part, numbered below its path; none for another part.

    `rich_text` is what may be spent on bodies that Outlook wrote as Rich Text.
    """
    if part.content_type == "text/plain" and part.disposition != "attachment":
        yield from _in_text(part)
    elif is_winmail(part):
        opened = tnef.read(part.data(), rich_text)
        if opened is not None:
            yield from _in_winmail(part, opened, _content(part))


def is_winmail(part: Part) -> bool:
    """Returns whether a part is a winmail.dat, whatever its type says."""
    if part.content_type in tnef.CONTENT_TYPES:
        return True
    is_file = part.content_type == "application/octet-stream"
    return is_file and tnef.is_tnef(part.start(len(tnef.SIGNATURE)))


def _content(part: Part) -> Region:
    """Returns the decoded content, as a region of the message where it is not encoded."""
    if part.encoding in transfer_encoding.ENCODED:
        return Region.whole(part.data())
    return part.region


def _in_text(part: Part) -> Iterator[Part]:
    region = part.region
    if part.encoding not in transfer_encoding.ENCODED:
        if region.source.find(uuencoded.MARK, region.start, region.end) < 0:
            return
    else:
        region = Region.whole(part.data())
    for number, piece in enumerate(uuencoded.files(region.octets()), 1):
        start, end = (region.start + at for at in piece.content)
        yield _file(
            part,
            f"{part.path}.{number}",
            Region(region.source, start, end),
            names=(piece.name,),
            encoding=piece.encoding,
        )


def _in_winmail(part: Part, opened: Tnef, content: Region) -> Iterator[Part]:
    """Yields the texts, then the files, and behind each attached message what is in it."""
    texts = [(opened.text, "text/plain"), (opened.html, "text/html")]
    written = [(text, kind) for text, kind in texts if text.strip()]
    for number, (text, kind) in enumerate(written, 1):
        octets = text.encode("utf-8", "replace")
        yield _text(part, f"{part.path}.{number}", octets, kind)
    for number, file in enumerate(opened.files, len(written) + 1):
        start, end = content.start + file.start, content.start + file.end
        path = f"{part.path}.{number}"
        one = _file(
            part,
            path,
            Region(content.source, start, end),
            names=(file.name, *file.names),
            content_type=_type_of(file),
            content_id=file.content_id,
        )
        yield one
        if file.message is not None:
            yield from _in_winmail(one, file.message, content)


def _type_of(file: TnefFile) -> str:
    if file.is_message:
        return "application/ms-tnef"
    return file.content_type or file_endings.type_of(file.name)


def _text(part: Part, path: str, octets: bytes, content_type: str) -> Part:
    return Part(
        path=path,
        content_type=content_type,
        charset="utf-8",
        filename="",
        disposition="",
        content_id="",
        encoding="",
        region=Region.whole(octets),
        is_nested=part.is_nested,
        header=HeaderBlock(()),
    )


def _file(
    part: Part,
    path: str,
    region: Region,
    *,
    names: Iterable[str],
    content_type: str = "",
    content_id: str = "",
    encoding: str = "",
) -> Part:
    """Returns a file as a part with fields that give it all of its names."""
    named = [name for name in dict.fromkeys(names) if name]
    first = next(iter(named), "")
    values = (f"attachment; {parameters.write('filename', name)}" for name in named)
    return Part(
        path=path,
        content_type=content_type or file_endings.type_of(first),
        charset="",
        filename=file_names.canonical(first),
        disposition="attachment",
        content_id=content_id,
        encoding=encoding,
        region=region,
        is_nested=part.is_nested,
        header=HeaderBlock(
            tuple(new_field("Content-Disposition", value) for value in values)
        ),
    )
