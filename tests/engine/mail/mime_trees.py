"""Hypothesis strategies for the trees of MIME messages, whole and broken.

Each leaf has a word that no other leaf has, so that a test can tell which leaves a reader
gets.
"""

from __future__ import annotations

import base64
import binascii
import quopri
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

# Letters that a charset has beyond ASCII; empty for one that no decoder knows.
LETTERS = {
    "": "",
    "us-ascii": "",
    "utf-8": "żółw",
    "iso-8859-15": "œuf€",
    "windows-1252": "été",
    "koi8-r": "суд",
    "iso-2022-jp": "裁判",
    "gb18030": "法庭",
    "x-unknown": "",
}
# Content-Type as it is written; None stands for a part without the field.
PLAIN_TYPES = [
    "text/plain",
    "text/plain",
    None,
    "text",
    "text/",
    "/plain",
    "plain text",
]
OTHER_TEXTS = ["text/html", "text/html", "text/markdown", "text/watch-html"]
FILE_TYPES = [
    *("application/pdf", "application/octet-stream", "image/png", "image/png"),
    *("image/tiff", "text/csv", "text/calendar", "audio/wav", "x-own/x-type"),
    *("message/delivery-status", "text/rfc822-headers"),
]
MESSAGE_TYPES = ["message/rfc822", "message/rfc822", "message/global", "message/news"]
MULTIPARTS = [
    *("mixed", "mixed", "alternative", "alternative", "related", "related"),
    *("digest", "signed", "report", "parallel", "x-own"),
]
ENCODINGS = ["", "7bit", "8bit", "base64", "quoted-printable", "x-uuencode"]
DISPOSITIONS = ["", "", "inline", "attachment", "x-unknown"]
MAX_DEPTH = 5


@dataclass(slots=True)
class Leaf:
    """A part that is no multipart. `inner` is the message that it attaches."""

    type: str | None
    disposition: str = ""
    charset: str = ""
    encoding: str = ""
    is_named: bool = False
    has_id: bool = False
    is_flowed: bool = False
    holds_file: bool = False
    inner: Node | None = None
    word: str = ""
    cids: list[str] = field(default_factory=list)

    @property
    def is_words(self) -> bool:
        """Whether it is part of what the message says, rather than a file."""
        if self.disposition in ("attachment", "x-unknown") or self.inner:
            return False
        return self.type in PLAIN_TYPES or self.type in OTHER_TEXTS

    @property
    def marks(self) -> list[str]:
        """What identifies it: a word and, in words, letters of its charset."""
        letters = LETTERS[self.charset] if self.is_words else ""
        return [f"{self.word}{letters}"]

    @property
    def file_mark(self) -> str:
        """The word in the file that is uuencoded within its text."""
        return f"{self.word}inside"

    @property
    def content_id(self) -> str:
        return f"{self.word}@picture"


@dataclass(slots=True)
class Multi:
    """A multipart. Its last boundary may be missing."""

    kind: str
    children: list[Node]
    is_closed: bool = True
    has_preamble: bool = False
    boundary: str = ""


Node = Leaf | Multi


def leaves(node: Node) -> Iterator[Leaf]:
    """Yields the leaves in order, an attached message before what is inside it."""
    if isinstance(node, Multi):
        for child in node.children:
            yield from leaves(child)
        return
    yield node
    if node.inner is not None:
        yield from leaves(node.inner)


def written(node: Node) -> bytes:
    """Returns the message, once the tree has words."""
    header = (
        b"From: jane@firm.example\r\nTo: bob@northfield.secure.example\r\n"
        b"Subject: A tree\r\nMessage-ID: <tree@firm.example>\r\nMIME-Version: 1.0\r\n"
    )
    return header + _entity(node)


def _entity(node: Node) -> bytes:
    if isinstance(node, Leaf):
        return _leaf(node)
    boundary = node.boundary.encode()
    head = f'Content-Type: multipart/{node.kind}; boundary="{node.boundary}"\r\n\r\n'
    body = b"".join(
        b"\r\n--%b\r\n%b" % (boundary, _entity(child)) for child in node.children
    )
    preamble = b"This is a message in MIME format.\r\n" if node.has_preamble else b""
    end = b"\r\n--%b--\r\n" % boundary if node.is_closed else b"\r\n"
    return head.encode() + preamble + body + end


def _leaf(leaf: Leaf) -> bytes:
    fields = []
    if leaf.type is not None:
        charset = f'; charset="{leaf.charset}"' if leaf.charset else ""
        flowed = "; format=flowed" if leaf.is_flowed else ""
        fields.append(f"Content-Type: {leaf.type}{charset}{flowed}")
    if leaf.disposition or leaf.is_named:
        name = f'; filename="file {leaf.word[:3]}.bin"' if leaf.is_named else ""
        fields.append(f"Content-Disposition: {leaf.disposition or 'inline'}{name}")
    if leaf.has_id:
        fields.append(f"Content-ID: <{leaf.content_id}>")
    if leaf.encoding:
        fields.append(f"Content-Transfer-Encoding: {leaf.encoding}")
    head = "".join(f"{field}\r\n" for field in fields)
    return head.encode() + b"\r\n" + _encoded(leaf)


def _encoded(leaf: Leaf) -> bytes:
    data = _content(leaf)
    if leaf.encoding == "base64":
        return base64.encodebytes(data).replace(b"\n", b"\r\n")
    if leaf.encoding == "quoted-printable":
        encoded = quopri.encodestring(data.replace(b"\r\n", b"\n"))
        return encoded.replace(b"\n", b"\r\n")
    if leaf.encoding == "x-uuencode":
        return uuencoded("body.bin", data)
    return data


def _content(leaf: Leaf) -> bytes:
    if leaf.inner is not None:
        return written(leaf.inner)
    [mark] = leaf.marks
    if leaf.type == "image/png":
        return b"\x89PNG\r\n\x1a\n" + mark.encode()
    if not leaf.is_words:
        return f"Content: {mark}\r\n".encode()
    text = f"Words {mark} of the letter.\r\n"
    if leaf.type == "text/html":
        pictures = "".join(f'<img src="cid:{cid}">' for cid in leaf.cids)
        text = f"<p>Words {mark} of the letter.</p>{pictures}\r\n"
    charset = leaf.charset if LETTERS[leaf.charset] else "utf-8"
    data = text.encode(charset)
    if leaf.holds_file:
        data += uuencoded("inside.bin", f"% {leaf.file_mark}".encode())
    return data


def uuencoded(name: str, data: bytes) -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    body = b"".join(line.replace(b"\n", b"\r\n") for line in lines)
    return b"begin 644 %b\r\n%b`\r\nend\r\n" % (name.encode(), body)


@st.composite
def texts(draw: st.DrawFn) -> Leaf:
    kind = draw(st.sampled_from([*PLAIN_TYPES, *OTHER_TEXTS]))
    leaf = Leaf(kind, draw(st.sampled_from(DISPOSITIONS)))
    leaf.is_named = draw(st.booleans()) and draw(st.booleans())
    is_plain = kind == "text/plain"
    # Without a type that is understood, no charset is told.
    if kind is not None and "/" in kind.strip("/"):
        leaf.charset = draw(st.sampled_from(sorted(LETTERS)))
    leaf.encoding = draw(st.sampled_from(ENCODINGS))
    leaf.is_flowed = is_plain and draw(st.booleans())
    if is_plain and leaf.is_words and leaf.encoding != "x-uuencode":
        leaf.holds_file = leaf.charset != "iso-2022-jp" and draw(st.booleans())
    return leaf


@st.composite
def files(draw: st.DrawFn) -> Leaf:
    leaf = Leaf(draw(st.sampled_from(FILE_TYPES)), draw(st.sampled_from(DISPOSITIONS)))
    leaf.is_named = draw(st.booleans())
    leaf.encoding = draw(st.sampled_from(ENCODINGS))
    leaf.has_id = leaf.type.startswith("image/") and draw(st.booleans())
    return leaf


@st.composite
def attached(draw: st.DrawFn, depth: int) -> Leaf:
    leaf = Leaf(draw(st.sampled_from(MESSAGE_TYPES)))
    leaf.disposition = draw(st.sampled_from(DISPOSITIONS))
    leaf.is_named = draw(st.booleans())
    leaf.encoding = draw(st.sampled_from(["", "", "8bit", "base64"]))
    leaf.inner = draw(nodes(depth + 1))
    return leaf


@st.composite
def multiparts(draw: st.DrawFn, depth: int) -> Multi:
    kind = draw(st.sampled_from(MULTIPARTS))
    children = draw(st.lists(nodes(depth + 1), min_size=1, max_size=4))
    if kind == "digest":  # where a part without a type is a message
        children = [
            Leaf("text/plain")
            if isinstance(child, Leaf) and child.type is None
            else child
            for child in children
        ]
    is_closed = depth > 0 or draw(st.booleans())
    return Multi(kind, children, is_closed, draw(st.booleans()))


def nodes(depth: int) -> st.SearchStrategy[Node]:
    """Trees that are nested up to MAX_DEPTH."""
    if depth >= MAX_DEPTH:
        return st.one_of(texts(), files())
    inner = st.deferred(lambda: multiparts(depth))
    message = st.deferred(lambda: attached(depth))
    return st.one_of(texts(), inner, files(), inner, message)


@st.composite
def trees(draw: st.DrawFn) -> Node:
    """A tree whose leaves have words, and whose HTML embeds pictures beside it."""
    root = draw(st.one_of(st.deferred(lambda: multiparts(0)), nodes(0)))
    for number, leaf in enumerate(leaves(root)):
        leaf.word = f"l{number}e{number:03}af"
    embeds = draw(st.booleans())
    for number, multi in enumerate(_multiparts(root)):
        multi.boundary = f"b{number}-{len(multi.children)}="
        beside = [child for child in multi.children if isinstance(child, Leaf)]
        cids = [leaf.content_id for leaf in beside if leaf.has_id]
        for leaf in beside:
            leaf.cids = cids if embeds else []
    return root


def _multiparts(node: Node) -> Iterator[Multi]:
    if isinstance(node, Multi):
        yield node
        for child in node.children:
            yield from _multiparts(child)
    elif node.inner is not None:
        yield from _multiparts(node.inner)
