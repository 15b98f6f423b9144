"""Migrates the database and collects static files, if anything changed since last time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.core.management import call_command

from engine.database import due_migrations
from engine.secrets import state_folder


def migrate() -> bool:
    """Applies pending migrations. True if any were pending."""
    if not due_migrations.unapplied():
        return False
    call_command("migrate", interactive=False, verbosity=0)
    return True


def collect_static_files() -> bool:
    """Collects styles, scripts and images. False if they are unchanged since last time."""
    if are_static_files_current():
        return False
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    state_folder.write_atomically(_digest_file(), _digest().encode())
    return True


def use_collected_files() -> None:
    """Reads the names of the static files again, for this process and its forks.

    Wagtail opens their storage when it is imported, before they may have been collected.
    """
    storage: Any = storages["staticfiles"]
    storage.hashed_files, storage.manifest_hash = storage.load_manifest()


def are_static_files_current() -> bool:
    """Returns whether the static files were collected from this release."""
    file = _digest_file()
    return file.exists() and file.read_text() == _digest()


def _digest_file() -> Path:
    path: Path = settings.POSTERN.path("assets.sha256")
    return path


def _digest() -> str:
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(str(path).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    """Yields our static files, and the lock files that pin everybody else's."""
    base: Path = settings.BASE_DIR
    yield from (base / "requirements.lock", base / "package-lock.json")
    yield base / "portal/ui/asset_collector.py"
    for folder in ("portal", "onboarding", "engine"):
        yield from sorted(
            p for p in base.glob(f"{folder}/**/static/**/*") if p.is_file()
        )
