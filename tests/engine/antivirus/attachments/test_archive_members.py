from __future__ import annotations

import bz2
import lzma
import struct

import pytest

from engine.antivirus.attachments import archive_members, magic, policy
from engine.antivirus.formats.inspection_budget import Budget, TooMuchError
from tests.engine.antivirus import specimens


def names(data: bytes, name: str = "papers") -> set[str]:
    return {found.name for found in archive_members.members(data, name, Budget())}


def tnef(*attributes: tuple[int, bytes]) -> bytes:
    """Builds a winmail.dat of Outlook with those attributes."""
    data = struct.pack("<LH", 0x223E9F78, 1)
    for kind, value in attributes:
        data += struct.pack("<BLL", 2, kind, len(value)) + value + b"\0\0"
    return data


@pytest.mark.parametrize(
    ("data", "name", "inside"),
    [
        (specimens.zipped_under({"a/run.exe": b"x"}), "a.zip", "a/run.exe"),
        (
            specimens.zipped_under({"run.exe": b""}) + specimens.zipped(b"x"),
            "joined.zip",
            "run.exe",
        ),
        (b"stub" + specimens.zipped_under({"run.exe": b"x"}), "a.bin", "run.exe"),
        (specimens.tarred(b"x", names=("run.exe",)), "a.tar", "run.exe"),
        (
            specimens.tarred(b"x", names=("d" * 150 + "/run.exe",)),
            "a.tar",
            "d" * 150 + "/run.exe",
        ),
        (specimens.gzipped(b"x", name="run.exe"), "a.gz", "run.exe"),
        (specimens.gzipped(b"x"), "run.exe.GZ", "run.exe"),
        (bz2.compress(b"x"), "run.exe.bz2", "run.exe"),
        (lzma.compress(b"x"), "run.exe.xz", "run.exe"),
        (tnef((0x00018010, b"run.exe\0"), (0x0006800F, b"x")), "winmail.dat", "run.exe"),
        (
            tnef((0x00069005, b"\x01\0" + "run.exe".encode("utf-16-le") + b"\0\0")),
            "winmail.dat",
            "run.exe",
        ),
    ],
)  # fmt: skip
def test_names_inside(data: bytes, name: str, inside: str) -> None:
    assert any(found.endswith(inside) for found in names(data, name))


def test_octets_inside() -> None:
    data = specimens.gzipped(specimens.tarred(b"one", b"two"))
    [packed] = [m for m in archive_members.members(data, "a.tgz", Budget()) if m.data]

    inside = [
        m.data for m in archive_members.members(packed.data, packed.name, Budget())
    ]

    assert inside == [b"one", b"two"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"PK\x03\x04" + b"\xff" * 99,
        specimens.zipped(b"x" * 999)[:-9],
        b"\x1f\x8b\x08\x0c" + bytes(99),
        b"BZh9 and so on",
        b"\xfd7zXZ\0 and so on",
        b"\x78\x9f\x3e\x22\0\0\x02" + b"\xff" * 8,
    ],
)
def test_broken_containers_end(data: bytes) -> None:
    assert len(names(data)) < 5


def test_more_than_anybody_looks_into() -> None:
    with pytest.raises(TooMuchError):
        list(
            archive_members.members(
                specimens.zipped(*[b""] * 9), "a", Budget(members=17)
            )
        )
    with pytest.raises(TooMuchError):
        list(
            archive_members.members(
                specimens.zipped(bytes(999)), "a", Budget(octets=99)
            )
        )


PROGRAM = specimens.program()
ENDS = [
    bytes(90_000) + b"conectix" + bytes(504),
    bytes(90_000) + b"koly\0\0\0\x04" + bytes(504),
]


def can_carry(data: bytes) -> bool:
    return policy.can_carry([policy.File("papers.bin", "a/b", data)])


@pytest.mark.parametrize("image", ENDS, ids=["vhd", "dmg"])
def test_images_known_by_their_ends_inside(image: bytes) -> None:
    assert not can_carry(specimens.zipped(image))
    assert not can_carry(specimens.tarred(image))
    assert not can_carry(specimens.zipped(specimens.zipped(image)))
    assert can_carry(specimens.zipped(image + b"and so on"))


@pytest.mark.parametrize(
    "archive",
    [
        specimens.zipped(PROGRAM),
        specimens.stored(PROGRAM),
        specimens.streamed(PROGRAM),
        specimens.zipped(specimens.zipped(PROGRAM)),
    ],
    ids=["packed", "stored", "streamed", "nested"],
)
def test_zip_without_a_directory_holds_a_program(archive: bytes) -> None:
    torn = specimens.without_directory(archive)

    assert not can_carry(torn)
    assert not can_carry(b"stub" + torn)
    assert not can_carry(specimens.zipped(bytes(90_000) + torn))


def test_zip_behind_something_else_inside() -> None:
    hidden = bytes(90_000) + specimens.zipped_under({"run.exe": b"x"})

    assert not can_carry(specimens.zipped(hidden))


def test_zip_with_one_member_that_cannot_be_read_hides_no_other() -> None:
    archive = bytearray(specimens.zipped_under({"a.txt": b"x", "b.pdf": PROGRAM}))
    archive[8] = archive[archive.index(b"PK\x01\x02") + 10] = 99

    assert not can_carry(bytes(archive))


def test_zip_behind_a_stream_under_the_name_of_a_zip() -> None:
    joined = specimens.gzipped(b"x") + specimens.zipped_under({"run.exe": b"x"})

    assert "run.exe" in names(joined, "papers.zip")


def test_large_files_travel_unread() -> None:
    """Only the start of each file is examined, and then what the budget allows."""
    data = specimens.zipped(bytes(900_000))
    found = list(archive_members.members(data, "a.zip", Budget(glances=300_000)))

    assert [len(member.data) for member in found if member.data] == [magic.HEAD]
