"""What the database and the pages need before the first request, done when it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from engine import state


def migrate() -> bool:
    """Bring the tables up to date. True where something was to do."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", interactive=False, verbosity=0)
    return True


def collect_static_files() -> bool:
    """Collect styles, scripts and images, unless they are as they were last time."""
    stamp_file = settings.POSTERN.path("assets.stamp")
    stamp = _stamp()
    if stamp_file.exists() and stamp_file.read_text() == stamp:
        return False
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    state.replace(stamp_file, stamp.encode())
    return True


def _stamp() -> str:
    told = hashlib.sha256()
    for path in _sources():
        told.update(str(path).encode())
        told.update(path.read_bytes())
    return told.hexdigest()


def _sources() -> Iterator[Path]:
    """What the collected files are made from: ours, and which versions of others'."""
    base: Path = settings.BASE_DIR
    yield from (base / "requirements.lock", base / "package-lock.json")
    yield base / "portal/ui/assets.py"
    for folder in ("portal", "onboarding", "engine"):
        yield from sorted(
            p for p in base.glob(f"{folder}/**/static/**/*") if p.is_file()
        )
