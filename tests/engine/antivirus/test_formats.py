from __future__ import annotations

import lzma
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.antivirus.attachments import archive_members, policy
from engine.antivirus.attachments.policy import File
from engine.antivirus.formats import compound, rar, seven_zip
from engine.antivirus.formats.inspection_budget import (
    Budget,
    TooMuchError,
    UnlistedError,
)
from engine.mail.errors import PermanentFailure
from tests.engine.antivirus import archives, specimens
from tests.peers import seven_zip as peer

FILES = {"letter.txt": b"Good morning", "sub/papers.pdf": b"%PDF" * 2_000}
RUNS = {"letter.txt": b"Good morning", "sub/run.exe": b"x"}
DISGUISED = {"letter.txt": b"Good morning", "papers.pdf": specimens.program()}


def members_of(data: bytes) -> dict[str, bytes]:
    """Returns the octets of members by name; empty where only the name is known."""
    read = {}
    for member in archive_members.members(data, "papers", Budget()):
        read[member.name] = member.data or read.get(member.name, b"")
    return read


def listed(path: Path, archive: bytes) -> list[str]:
    """Returns the names that libarchive finds; Debian's 7-Zip reads no RAR."""
    path.write_bytes(archive)
    done = subprocess.run(["bsdtar", "-tf", path], capture_output=True, check=True)
    return done.stdout.decode().splitlines()


def refusal(data: bytes, name: str = "papers.bin") -> str:
    with pytest.raises(PermanentFailure) as refused:
        policy.check_can_carry([File(name, "application/octet-stream", data)])
    assert refused.value.reply.code == 554
    return refused.value.reply.text


def start_of_seven_zip(header: bytes, packed: bytes = b"") -> bytes:
    place = struct.pack("<QQL", len(packed), len(header), zlib.crc32(header))
    crc = struct.pack("<L", zlib.crc32(place))
    return seven_zip.SIGNATURE + b"\0\4" + crc + place + packed + header


SWITCHES = [
    "",
    "-mhc=off",
    "-m0=LZMA",
    "-m0=Deflate",
    "-m0=BZip2",
    "-m0=Copy",
    "-ms=off",
]


@pytest.mark.parametrize("switch", SWITCHES)
def test_7z_is_read(tmp_path: Path, switch: str) -> None:
    made = peer.pack(tmp_path, FILES | {"empty.txt": b""}, *filter(None, [switch]))

    read = members_of(made)

    assert {name: read.get(name) for name in FILES} == FILES
    assert read["empty.txt"] == b"" and "sub" in read
    assert policy.can_carry([File("papers.7z", "application/x-7z-compressed", made)])


@pytest.mark.parametrize("switch", ["", "-m0=PPMd", "-psecret"])
def test_7z_names_a_program(tmp_path: Path, switch: str) -> None:
    """Even if it is encrypted, or compressed by a method that we do not read."""
    made = peer.pack(tmp_path, RUNS, *filter(None, [switch]))

    assert ".exe" in refusal(made)
    assert ".exe" in refusal(specimens.tarred(specimens.gzipped(made)))


def test_7z_holds_a_disguised_program(tmp_path: Path) -> None:
    assert ".exe" in refusal(peer.pack(tmp_path, DISGUISED))


def test_7z_that_hides_its_names_is_refused(tmp_path: Path) -> None:
    made = peer.pack(tmp_path, FILES, "-mhe=on", "-psecret")

    assert "hides the names of its files" in refusal(made)
    assert "hides the names of its files" in refusal(b"stub" + made)
    assert "hides the names of its files" in refusal(specimens.zipped(made))


def test_7z_behind_something_else(tmp_path: Path) -> None:
    made = peer.pack(tmp_path, RUNS)

    assert ".exe" in refusal(b"stub" * 9_000 + seven_zip.SIGNATURE + made)


@pytest.mark.parametrize(
    "data",
    [
        seven_zip.SIGNATURE,
        start_of_seven_zip(b"\x01\x05\xff" + b"\xff" * 8),
        start_of_seven_zip(b"\x17\x06\0\x01\x09\x04\0\x07\x0b\x01\0\x01\x01\x63\x0c"),
        start_of_seven_zip(b"\x01\x03\0\0"),
        start_of_seven_zip(b"\x02\0"),
    ],
    ids=["torn", "countless", "unfinished", "elsewhere", "unknown"],
)
def test_7z_that_is_none_is_refused(data: bytes) -> None:
    assert "is damaged" in refusal(data)


def test_7z_header_of_nothing_is_read_within_bounds() -> None:
    """A few octets that claim, and could expand to, a header of excessive size."""
    size = seven_zip.MAX_HEADER + 1
    settings_ = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
    packed = lzma.compress(bytes(size), lzma.FORMAT_RAW, filters=settings_)
    number = b"\xe0" + struct.pack("<L", size)[:3]
    assert size >> 24 == 0
    header = (
        b"\x17\x06\0\x01\x09\xc0" + struct.pack("<H", len(packed)) + b"\0"
        b"\x07\x0b\x01\0\x01\x21\x21\x01\x12\x0c" + number + b"\0\0"
    )

    with pytest.raises(UnlistedError):
        seven_zip.read(start_of_seven_zip(header, packed))


@pytest.mark.parametrize("make", [archives.rar4, archives.rar5])
def test_rar_is_read(tmp_path: Path, make: Callable[..., bytes]) -> None:
    made = make(FILES)

    assert listed(tmp_path / "a.rar", made) == list(FILES)
    assert members_of(made) == FILES
    assert policy.can_carry([File("papers.rar", "application/vnd.rar", made)])


@pytest.mark.parametrize("make", [archives.rar4, archives.rar5])
def test_rar_holds_a_program(make: Callable[..., bytes]) -> None:
    assert ".exe" in refusal(make(RUNS))
    assert ".exe" in refusal(make(RUNS, method=3))
    assert ".exe" in refusal(b"stub" + make(RUNS))
    assert ".exe" in refusal(specimens.zipped(make(RUNS)))
    assert ".exe" in refusal(make(DISGUISED))
    assert policy.can_carry([File("a.rar", "a/b", make(DISGUISED, method=3))])


@pytest.mark.parametrize(
    "wide",
    [
        b"\0\0run.\0exe",  # one octet a character
        b"\0\xaar\0u\0n\0.\0\xa8e\0x\0e\0",  # two octets
        b"\0\x55run.\x54exe",  # one octet, with the same high octet each
        b"\0\x03run\x02",  # what the other name has in the same place
        b"\0\x03run\x82\0",  # the same at an offset
    ],
)
def test_rar_names_a_file_twice(tmp_path: Path, wide: bytes) -> None:
    made = archives.rar4({"aaa.exe": b"x"}, wide=wide)

    assert listed(tmp_path / "a.rar", made) == ["run.exe"]
    assert "run.exe" in members_of(made)


@pytest.mark.parametrize(
    "made",
    [
        archives.rar4(FILES, main_flags=0x80),
        archives.rar5(FILES, locked=True),
        archives.RAR4 + bytes(20),
        archives.RAR5 + bytes(20),
        rar.SIGNATURE,
    ],
)
def test_rar_that_hides_its_names_is_refused(made: bytes) -> None:
    assert "hides the names of its files" in refusal(made)


def test_rar_with_encrypted_members_shows_their_names() -> None:
    record = archives.vint(1) + bytes(40)
    locked = archives.vint(len(record)) + record

    assert members_of(archives.rar5({"a.pdf": b"x"}, extra=locked)) == {"a.pdf": b""}
    assert members_of(archives.rar4({"a.pdf": b"x"}, flags=4)) == {"a.pdf": b""}


def test_rar_with_more_blocks_than_anybody_makes() -> None:
    block = archives.rar5({})[len(archives.RAR5) :][:8]

    with pytest.raises(UnlistedError):
        list(rar.members(archives.RAR5 + block * 100_001))


ITEM = archives.item(
    archives.attachment("papers.pdf", b"%PDF" * 2_000),
    archives.attachment("PAPERS~1.PDF", b"short", tag="3704001E"),
    archives.attachment("Fwd", archives.item(archives.attachment("b.txt", b"deep"))),
)


def test_outlook_item_is_read(tmp_path: Path) -> None:
    made = archives.compound(ITEM)

    assert any(
        path.endswith("3701000D/__attach_version1.0_#00000000/__substg1.0_3707001F")
        for path in peer.names(tmp_path, made, kind="compound")
    )
    assert members_of(made) == {
        "papers.pdf": b"%PDF" * 2_000,
        "PAPERS~1.PDF": b"short",
        "b.txt": b"deep",
    }
    assert policy.can_carry([File("a.msg", "application/vnd.ms-outlook", made)])


@pytest.mark.parametrize(
    "inside",
    [
        archives.attachment("run.exe", b"x"),
        archives.attachment("run.exe", b"x" * 5_000),
        archives.attachment("RUN.EXE", b"x", tag="3704001E"),
        archives.attachment(".exe", b"x", tag="3703001F"),
        archives.attachment("run.exe", b"x", tag="3001001F"),
        archives.attachment("papers.pdf", specimens.program()),
        archives.attachment("papers.zip", specimens.zipped_under({"run.exe": b"x"})),
        archives.attachment(
            "Fwd", archives.item(archives.attachment("run.exe", b"x" * 5_000))
        ),
    ],
)
def test_outlook_item_holds_a_program(inside: archives.Tree) -> None:
    made = archives.compound(archives.item(inside))

    assert ".exe" in refusal(made)
    assert ".exe" in refusal(specimens.zipped(made))


def test_outlook_item_with_a_subject_like_a_program() -> None:
    forwarded = archives.attachment("About www.firm.com", archives.item())
    made = archives.compound(
        {"__substg1.0_3001001F": "run.exe".encode("utf-16-le")}
        | archives.item(forwarded)
    )

    assert policy.can_carry([File("a.msg", "application/vnd.ms-outlook", made)])


def test_outlook_item_that_names_a_stream_in_many_places() -> None:
    """Storages that share streams would name more files than the limit."""
    first = archives.attachment("a", b"x") | {str(number): b"" for number in range(99)}
    tree = archives.item(first, *[archives.attachment("a", b"x")] * 9)
    made = bytearray(archives.compound(tree))
    starts = [
        at
        for at in range(0, len(made), 128)
        if made[at:].startswith("__attach".encode("utf-16-le"))
    ]
    for at in starts:
        made[at + 76 : at + 80] = made[starts[0] + 76 : starts[0] + 80]

    assert "is damaged" in refusal(bytes(made))


SPECIMENS = {
    "rar4": archives.rar4(RUNS),
    "rar5": archives.rar5(RUNS, extra=b"\x03\x02ab"),
    "wide": archives.rar4(RUNS, wide=b"\0\0run.\0exe"),
    "item": archives.compound(ITEM),
}


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> dict[str, bytes]:
    made = {
        switch: peer.pack(
            tmp_path_factory.mktemp("made"), RUNS, *filter(None, [switch])
        )
        for switch in ("", "-mhc=off", "-m0=Deflate")
    }
    return SPECIMENS | made


def check_only_expected_errors(data: bytes) -> None:
    """Raises on any error other than the refusals that callers expect."""
    for start in (b"", b"stub"):
        try:
            list(archive_members.members(start + data, "papers", Budget()))
        except (UnlistedError, TooMuchError):
            pass
    try:
        seven_zip.read(data)
    except UnlistedError:
        pass
    try:
        list(rar.members(data))
    except UnlistedError:
        pass
    try:
        list(compound.attachments(data))
    except (UnlistedError, ValueError, struct.error):
        pass


@settings(max_examples=300)
@given(st.binary(max_size=600), st.sampled_from(["", "7z", "4", "5", "item"]))
@example(b"", "7z")
def test_any_octets(data: bytes, kind: str) -> None:
    starts = {
        "": b"",
        "7z": seven_zip.SIGNATURE,
        "4": archives.RAR4,
        "5": archives.RAR5,
        "item": archives.compound({})[:512],
    }
    check_only_expected_errors(starts[kind] + data)
    if kind == "7z":
        check_only_expected_errors(start_of_seven_zip(data, data[:9]))
        check_only_expected_errors(start_of_seven_zip(b"\x01" + data))
        check_only_expected_errors(start_of_seven_zip(b"\x17" + data, data))


@settings(max_examples=300)
@given(data=st.data())
def test_torn_and_changed_archives(
    packed: dict[str, bytes], data: st.DataObject
) -> None:
    whole = packed[data.draw(st.sampled_from(sorted(packed)))]
    places = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255))
    changed = archives.mutations(whole, data.draw(st.lists(places, max_size=6)))

    check_only_expected_errors(changed[: data.draw(st.integers(0, len(whole)))])
    check_only_expected_errors(changed)
    if changed.startswith(seven_zip.SIGNATURE):
        _, _, offset, size, _ = struct.unpack_from("<6s2xLQQL", whole)
        # Checksums are corrected, or nothing behind them would be read.
        packs, header = changed[32 : 32 + offset], changed[32 + offset :][:size]
        check_only_expected_errors(start_of_seven_zip(header, packs))
