"""The stores of blobs, and a state folder for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from engine.blobs import store
from engine.blobs.interface import BlobStore
from engine.blobs.local_store import LocalStore
from engine.blobs.s3_address import S3Address
from engine.blobs.s3_store import S3Store
from tests.peers.fault_proxy import FaultProxy
from tests.peers.rclone import Rclone


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings.POSTERN, "var", tmp_path)
    return tmp_path


@pytest.fixture
def s3(bucket: Rclone) -> S3Store:
    return S3Store(S3Address.parse(bucket.url()))


@pytest.fixture
def faulty(bucket: Rclone, proxy: FaultProxy) -> S3Store:
    """The bucket by way of the proxy, with little patience."""
    return S3Store(S3Address.parse(bucket.url(port=proxy.port, timeout=0.5)))


@pytest.fixture(params=["files", "s3"])
def either(request: pytest.FixtureRequest) -> BlobStore:
    """Each store in turn."""
    return LocalStore() if request.param == "files" else request.getfixturevalue("s3")


@pytest.fixture(params=["files", "s3"])
def configured(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> BlobStore:
    """Each store in turn, behind the doors of the service."""
    if request.param == "s3":
        url = request.getfixturevalue("bucket").url()
        monkeypatch.setattr(settings.POSTERN, "blob_url", url)
    return store.configured()
