"""The doors of the store, with the local one behind them."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from engine.blobs import keys, local_store, orphan_sweep, store
from engine.blobs.interface import BlobStoreError, Kind

OLD_KEY = "0123456789abcdef0123456789abcdef"


def test_a_key_names_the_digest_of_what_is_stored() -> None:
    key = store.keep(Kind.BODY, b"Good morning.")

    assert keys.digest_in(key) == hashlib.sha256(b"Good morning.").hexdigest()
    assert store.read(Kind.BODY, key) == b"Good morning."


@pytest.mark.django_db
def test_two_messages_with_one_body_share_no_blob() -> None:
    first, second = (store.keep(Kind.BODY, b"Minutes") for _ in range(2))

    store.delete(Kind.BODY, first)

    assert store.read(Kind.BODY, second) == b"Minutes"


def test_adopting_leaves_no_spool_file_and_stays_private() -> None:
    spooled = store.spool_folder() / "one"
    spooled.touch(mode=0o600)
    spooled.write_bytes(b"x" * 100)

    key = store.adopt(Kind.BODY, spooled)

    path = local_store.path_of(Kind.BODY, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(store.spool_folder()) == []


def test_blobs_of_earlier_versions_are_read() -> None:
    path = settings.POSTERN.path("blobs", OLD_KEY[:2], OLD_KEY)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"From before")
    letter = settings.POSTERN.path("letters", "_x-Y.pdf")
    letter.parent.mkdir()
    letter.write_bytes(b"%PDF")

    assert store.read(Kind.BODY, OLD_KEY) == b"From before"
    assert keys.digest_in(OLD_KEY) is None
    assert store.read(Kind.LETTER, "_x-Y.pdf") == b"%PDF"


@pytest.mark.parametrize(
    "key", ["", "../x", "a/../b", "/etc/passwd", ".hidden", "a//b"]
)
def test_a_corrupt_key_does_not_leave_its_folder(key: str) -> None:
    with pytest.raises(ValueError, match="not the key"):
        store.open_blob(Kind.PICTURE, key)


class Refused(Exception):
    """Stands for any failure inside a transaction."""


@pytest.mark.django_db
def test_deleting_waits_for_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    key = store.keep(Kind.BODY, b"x")

    with pytest.raises(Refused), transaction.atomic():
        store.delete_after_commit(Kind.BODY, key)
        raise Refused
    assert store.exists(Kind.BODY, key)

    with django_capture_on_commit_callbacks(execute=True):
        store.delete_after_commit(Kind.BODY, key)
    assert not store.exists(Kind.BODY, key)


@pytest.mark.django_db
def test_a_store_that_does_not_answer_leaves_the_blob_to_the_sweep(
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> None:
        raise BlobStoreError("The store does not answer.")

    with (
        monkeypatch.context() as broken,
        django_capture_on_commit_callbacks(execute=True),
    ):
        broken.setattr(store, "delete", refuse)
        store.delete_after_commit(Kind.BODY, "x")

    assert "left to the sweep" in caplog.text


def test_keys_are_listed_in_order_and_from_any_of_them_on() -> None:
    names = ["images.png", "images/a.png", "images/b/c.png", "imagesz", "a", "z/z"]
    for name in names:
        path = settings.POSTERN.path("media", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")

    def listed(after: str = "") -> list[str]:
        return [one.key for one in store.listing(Kind.PICTURE, after=after)]

    assert listed() == sorted(names)
    for name in [*names, "images/", "images/b", "m"]:
        assert listed(name) == [one for one in sorted(names) if one > name]


def test_bodies_are_listed_from_any_key_on() -> None:
    made = sorted(store.keep(Kind.BODY, bytes([n])) for n in range(20))

    for at, key in enumerate(made):
        later = store.listing(Kind.BODY, after=key)
        assert [one.key for one in later] == made[at + 1 :]
    assert {one.size for one in store.listing(Kind.BODY)} == {1}


@pytest.mark.django_db
def test_the_sweep_deletes_old_blobs_that_no_row_names() -> None:
    named, orphan, fresh = (store.keep(Kind.LETTER, bytes([n])) for n in range(3))
    for key in (named, orphan):
        os.utime(local_store.path_of(Kind.LETTER, key), (0, 0))

    removed = orphan_sweep.sweep(Kind.LETTER, lambda keys: {named} & set(keys))

    assert removed == 1
    left = {one.key for one in store.listing(Kind.LETTER)}
    assert left == {named, fresh}
