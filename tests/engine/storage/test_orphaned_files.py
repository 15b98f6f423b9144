from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.conf import settings

from engine.blobs import local_store, orphan_sweep, store
from engine.blobs.interface import Kind
from engine.storage import content, orphaned_files
from engine.storage.models import Content

LARGE = b"x" * (content.INLINE_LIMIT + 1)


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings.POSTERN, "var", tmp_path)
    return tmp_path


def backdate(path: Path) -> Path:
    before = time.time() - orphan_sweep.AGE_SECONDS - 60
    os.utime(path, (before, before))
    return path


def path_of(row: Content) -> Path:
    return local_store.path_of(Kind.BODY, row.blob_key)


@pytest.mark.django_db
def test_an_old_blob_goes_only_when_no_content_names_it() -> None:
    named, unnamed = (
        content.row(content.keep(b"Subject: x\r\n\r\n", LARGE)) for _ in range(2)
    )
    named.save()
    backdate(path_of(named))
    backdate(path_of(unnamed))

    assert orphaned_files.delete_orphans() == 1

    assert path_of(named).exists()
    assert not path_of(unnamed).exists()


@pytest.mark.django_db
def test_what_is_on_its_way_in_stays() -> None:
    fresh = store.spool_folder() / "fresh"
    fresh.write_bytes(b"x")
    left = store.spool_folder() / "left"
    left.write_bytes(b"x")
    backdate(left)

    orphaned_files.delete_orphans()

    assert fresh.exists()
    assert not left.exists()
