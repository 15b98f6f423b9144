"""No other user of the machine can read the service's files."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from engine.antivirus import quarantine
from engine.antivirus.scanners.embedded import EmbeddedScanner
from engine.antivirus.verdict import Verdict, VerdictState
from engine.mail.address import Address
from engine.mail.envelope import Envelope
from engine.registry.models import Person
from engine.secrets import state_folder
from engine.signing.keyring import Keyring
from engine.storage import content
from engine.storage.exports import mailbox_export
from engine.transport.parcel import Parcel, ParcelRecipient
from engine.transport.session_pool import Pool
from engine.transport.smart_host import Outside
from onboarding.letters import letter_files
from portal.demo import demo_file, dkim_keys
from portal.demo.certificates import Authority

VERDICT = Verdict(VerdictState.INFECTED, "Eicar", "clamd")
EVERYDAY = Address.parse("jane@firm.example")


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A umask that gives every user every permission."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder that does not exist yet."""
    folder = tmp_path / "srv" / "postern"
    monkeypatch.setattr(settings.POSTERN, "var", folder)
    return folder


def exposed(root: Path) -> dict[str, str]:
    """Returns the paths that other users have any permission on, with their modes."""
    return {
        str(path.relative_to(root.parent)): oct(path.stat().st_mode & 0o777)
        for path in (root, *root.rglob("*"))
        if path.stat().st_mode & 0o077
    }


def notice() -> Parcel:
    kept = content.row(content.keep(b"Subject: Link\r\n\r\n", b"A secret link.\r\n"))
    return Parcel("R1", kept, None, (ParcelRecipient(1, EVERYDAY),), is_notice=True)


async def put_into_outbox() -> None:
    outside = Outside(Pool(), Keyring())
    await outside.deliver(notice())
    await outside.close()


async def scan_a_large_message() -> list[str]:
    """Returns what is exposed while a message is in the scanner's folder."""
    scan = EmbeddedScanner(state_folder.subfolder("scans")).open()
    await scan.feed(bytes(300_000))
    found = exposed(settings.POSTERN.path())
    await scan.abandon()
    return sorted(found)


@pytest.mark.django_db
def test_whatever_is_written_is_private_whatever_the_umask(
    open_umask: None, var: Path, bob: Person
) -> None:
    content.keep(b"Subject: x\r\n\r\n", bytes(100_000))
    letter_files.save(b"%PDF-1.7", organisation_id=7)
    with quarantine.copied(io.BytesIO(b"x")) as copy:
        quarantine.keep(
            copy,
            reference="R1",
            verdict=VERDICT,
            envelope=Envelope(None, ()),
            organisation_id=None,
        )
    mailbox_export.write(mailbox_export.start(bob.mailbox, folder=None, by=bob))
    Authority(settings.POSTERN.path("tls")).issue("localhost")
    dkim_keys.key_file("firm.example")
    asyncio.run(put_into_outbox())
    assert asyncio.run(scan_a_large_message()) == []
    demo_file.write()

    written = {path.name for path in var.iterdir()}
    assert written >= {
        "blobs", "demo.json", "dkim", "exports", "letters", "outbox", "quarantine",
        "scans", "spool", "tls",
    }  # fmt: skip
    assert exposed(var) == {}


def test_pictures_and_the_cache_are_private_too(open_umask: None, var: Path) -> None:
    default_storage.save("images/a.png", ContentFile(b"x"))
    cache = caches.create_connection("default")
    if hasattr(cache, "_dir"):
        cache._dir = str(var / "cache")
        cache.set("who", "bob")

    state_folder.make_private_folder(var)
    assert [path for path in exposed(var) if "postern/" in path] == []


PROGRAM = """
import os
from django.db import connection
connection.ensure_connection()
print(oct(os.umask(0)))
"""


@pytest.mark.slow
def test_what_others_left_open_is_tightened_when_a_process_starts(
    open_umask: None, tmp_path: Path
) -> None:
    """A folder made by a package, and files restored from a backup."""
    root = tmp_path / "var"
    (root / "tls").mkdir(parents=True)
    (root / "blobs").mkdir()
    for name in ("postern.sqlite3", "demo.json", "tls/ca.key"):
        (root / name).touch()
    assert "var" in exposed(root)

    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", PROGRAM],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "POSTERN_ENV": "test",
            "POSTERN_VAR": str(root),
            "POSTERN_DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert exposed(root) == {}
    assert done.stdout.strip() == "0o77"


def test_the_files_of_sqlite_are_tightened_when_it_is_opened(
    open_umask: None, tmp_path: Path
) -> None:
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"mail.sqlite3{suffix}").touch()

    state_folder.restrict_database_permissions(str(tmp_path / "mail.sqlite3"))

    assert [name for name in exposed(tmp_path) if "sqlite" in name] == []


def test_what_belongs_to_another_user_and_is_open_is_refused_plainly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        is_root = os.geteuid() == 0
        monkeypatch.setattr(
            settings.POSTERN, "var", Path(folder if is_root else "/proc")
        )
        if is_root:
            os.seteuid(nobody)
        try:
            assert settings.POSTERN.path().stat().st_uid != os.geteuid()
            with pytest.raises(ImproperlyConfigured, match="chmod 700"):
                state_folder.restrict_permissions()
        finally:
            if is_root:
                os.seteuid(0)
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o755


@pytest.mark.parametrize("name", ["/", "/tmp", "/var/lib", "sticky"])
def test_a_folder_that_others_use_is_left_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "file").touch(0o644)
    shared.chmod(0o1777)
    folder = shared if name == "sticky" else Path(name)
    before = folder.stat().st_mode
    monkeypatch.setattr(settings.POSTERN, "var", folder)

    with pytest.raises(ImproperlyConfigured, match="Set POSTERN_VAR to a folder"):
        state_folder.restrict_permissions()

    assert folder.stat().st_mode == before
    assert (shared / "file").stat().st_mode & 0o777 == 0o644


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    state_folder.write_atomically(tmp_path / "facts.json", b"{}")
    state_folder.write_atomically(tmp_path / "facts.json", b"[]")

    assert [path.name for path in tmp_path.iterdir()] == ["facts.json"]
    assert (tmp_path / "facts.json").read_bytes() == b"[]"
    with pytest.raises(FileExistsError):
        state_folder.create_private_file(tmp_path / "facts.json")
