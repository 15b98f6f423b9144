"""The parsers that are fuzzed: what each must hold for any octets, and a fault to find."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from engine.mail.errors import MailError
from engine.pop3.replies import Refused


@dataclass(frozen=True)
class Target:
    """A parser: its module, what is checked, and a fault that can be planted in it.

    `check` gets the module, or a copy of it, and the fuzzer's octets; it raises
    AssertionError, or whatever the parser should not have raised. `words` are parts of
    the language, which random octets would take long to hit upon.
    """

    module: str
    check: Callable[[ModuleType, bytes], None]
    right: str
    wrong: str
    words: tuple[bytes, ...] = ()


def _pieces(data: bytes) -> tuple[list[bytes], bytes]:
    """Cuts octets as their first ones say; returns the pieces, and all of them joined."""
    count, data = (data[0] % 6, data[1:]) if data else (0, b"")
    sizes, rest = data[:count], data[count:]
    whole, pieces = rest, []
    for size in sizes:
        pieces.append(rest[: size % 16])
        rest = rest[size % 16 :]
    return [*pieces, rest], whole


def check_chunks(module: ModuleType, data: bytes) -> None:
    """However a message is cut, its line ends and NULs are those of the whole."""
    text = data[:24].decode("latin-1")
    try:
        chunk = module.Chunk.parse(text)
    except MailError as error:
        assert error.reply.code == 501
    else:
        assert str(chunk.size) == text.partition(" ")[0].lstrip("0") or chunk.size == 0
        assert chunk.is_last == ("LAST" in text.upper())
    pieces, whole = _pieces(data)
    watch = module.LineWatch()
    for piece in pieces:
        watch.feed(piece)
    rest = whole.replace(b"\r\n", b"")
    assert watch.has_bare_newline(at_end=True) == (b"\r" in rest or b"\n" in rest)
    assert watch.has_nul == (b"\0" in whole)
    assert watch.is_at_line_start == (not whole or whole.endswith(b"\r\n"))


def check_data(module: ModuleType, data: bytes) -> None:
    """However DATA is cut, its content and its end are those of the whole."""
    pieces, whole = _pieces(data)
    reader, got = module.DataReader(), b""
    for piece in pieces:
        if reader.is_done:
            reader.rest += piece
        else:
            got += reader.feed(piece)
    content, end, rest = (b"\r\n" + whole).partition(b"\r\n.\r\n")
    assert reader.is_done == bool(end)
    if end:
        assert reader.rest == rest
        assert got == (content + b"\r\n").replace(b"\r\n.", b"\r\n")[2:]


def check_scram(module: ModuleType, data: bytes) -> None:
    """Any messages are an exchange without a proof, or refused as malformed."""
    first, _, final = data.partition(b"\n")
    try:
        exchange = module.ScramExchange(first, own_nonce="x")
        assert "\0" not in exchange.username
        exchange.challenge(b"salt", 4096)
        exchange.read_proof(final.replace(b"@", exchange._nonce.encode()))
    except module.ScramError:
        return
    assert exchange.signature(module.ScramKeys(bytes(32), bytes(32))) is None


def check_plain(module: ModuleType, data: bytes) -> None:
    """Any response is a user name and a secret without NUL, or refused."""
    response = data[1:].decode("latin-1")
    if data[:1] > b"\x80":
        response = base64.b64encode(data[1:]).decode()
    try:
        name, secret = module.read_plain(response)
    except Refused:
        return
    assert "\0" not in name + secret


def check_proxy(module: ModuleType, data: bytes) -> None:
    """A header ends within the octets, is known by them alone, and names an address."""
    try:
        header = module.parse(data)
    except module.InvalidProxyHeader:
        return
    if header is None:
        assert len(data) < 16 + module.LONGEST_BLOCK
        return
    assert 0 < header.length <= len(data)
    assert module.parse(data[: header.length]) == header
    assert module.parse(data[: header.length - 1]) is None
    assert header.client is None or 0 <= header.client[1] <= 65_535


def check_spf(module: ModuleType, data: bytes) -> None:
    """Any record is parsed within its limits, however it is spaced, or refused."""
    text = data.decode("latin-1")
    try:
        record = module.parse(f"v=spf1 {text}")
    except module.SpfSyntaxError:
        return
    assert record == module.parse(f"V=SPF1  {text} ")
    for directive in record.directives:
        four, six = directive.prefixes
        assert 0 <= four <= 32
        assert 0 <= six <= 128
        assert directive.domain or directive.mechanism not in ("include", "exists")
        is_network = directive.mechanism in ("ip4", "ip6")
        assert is_network == (directive.network is not None)


def check_dmarc(module: ModuleType, data: bytes) -> None:
    """Any record is read; the first of two values counts, and unknown tags do not."""
    text = "v=DMARC1;" + data.decode("latin-1")
    found = module.select([text])
    assert found == module.select([f"{text};unknown=1", "v=spf1 -all"])
    assert module.select([text, text]) is None
    first = module.select([f"{text};p=reject;sp=none;t=n"])
    assert first == module.select([f"{text};p=reject;sp=none;t=n;p=none;sp=reject;t=y"])


TARGETS = {
    "bdat": Target(
        "engine.smtp.chunked_message",
        check_chunks,
        right="raw = self._held + octets",
        wrong="raw = octets",
        words=(b"\r\n", b"\r", b" LAST", b"123"),
    ),
    "data": Target(
        "engine.smtp.data_reader",
        check_data,
        right="range(len(END) - 1, 0, -1)",
        wrong="range(len(END) - 2, 0, -1)",
        words=(b"\r\n.\r\n", b"\r\n..", b"\r\n.\r"),
    ),
    "scram": Target(
        "engine.registry.credentials.scram_exchange",
        check_scram,
        right="except binascii.Error",
        wrong="except UnicodeError",
        words=(b"n,,n=a,r=b\nc=biws,r=@,p=", b"=2C", b"=3D", b"a=", b"AAAA", b"\nc="),
    ),
    "plain": Target(
        "engine.pop3.sasl",
        check_plain,
        right='.split("\\0")',
        wrong='.split("\\0", 2)',
        words=(b"AGJvYgB4", b"\0", b"="),
    ),
    "proxy": Target(
        "engine.network.proxy_header",
        check_proxy,
        right="if len(data) < length:",
        wrong="if len(data) < length and data[13] != 0x21:",
        words=(
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            b"PROXY UNKNOWN\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24",
        ),
    ),
    "spf": Target(
        "engine.mail.authentication.spf_record",
        check_spf,
        right="if four > 32 or six > 128:",
        wrong="if four > 33 or six > 128:",
        words=(
            b"ip4:192.0.2.0/24",
            b"ip6:2001:db8::/32",
            b" -all",
            b"a:x.example/24//64",
            b"mx/33",
            b"include:%{ir}.%{d2}",
            b"redirect=x.example",
            b"exists:",
            b"ptr",
        ),
    ),
    "dmarc": Target(
        "engine.mail.authentication.dmarc_record",
        check_dmarc,
        right="tags.setdefault(name.strip().lower(), value.strip().lower())",
        wrong="tags[name.strip().lower()] = value.strip().lower()",
        words=(
            b"p=reject",
            b"p=quarantine",
            b"sp=none",
            b"np=",
            b"psd=y",
            b"t=y",
            b";",
        ),
    ),
}
