from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from engine.blobs import store
from engine.database import clock
from engine.health import process_identity
from engine.health.checks import host_state
from engine.health.models import Heartbeat
from engine.management import startup_checks
from portal.configuration.environment import Environment
from tests.peers.clamd import Clamd
from tests.peers.process import open_folder, remove_folder


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    folder = open_folder()
    made = Clamd(folder)
    yield made
    made.stop()
    remove_folder(folder)


@pytest.fixture(autouse=True)
def _in_production(monkeypatch: pytest.MonkeyPatch, clamd: Clamd) -> None:
    monkeypatch.setattr(settings.POSTERN, "env", "production")
    monkeypatch.setattr(settings.POSTERN, "clamd", clamd.socket)


@pytest.mark.django_db
def test_a_scanner_that_does_not_answer_is_named_and_stops_no_start(
    clamd: Clamd, caplog: pytest.LogCaptureFixture
) -> None:
    startup_checks.check(scans=False)
    assert "does not answer" not in caplog.text

    startup_checks.check(scans=True)
    assert f"does not answer at {clamd.socket}: all new mail is deferred" in caplog.text
    assert "Start clamd, or set POSTERN_CLAMD" in caplog.text

    caplog.clear()
    clamd.start()
    startup_checks.check(scans=True)
    assert "does not answer" not in caplog.text


@pytest.mark.django_db
def test_one_of_two_scanners_is_enough(
    clamd: Clamd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings.POSTERN, "clamd", f"/nowhere/clamd,{clamd.socket}")
    clamd.start()

    startup_checks.check(scans=True)

    assert "/nowhere/clamd" in caplog.text


NOW, BEFORE = timedelta(0), timedelta(minutes=1)


def beat(ago: timedelta, **over: object) -> None:
    """Records a heartbeat of a process on another host, so many seconds ago."""
    at = clock.now() - ago
    fields = {"kind": "web", "host": "mail2", "pid": 7, "started_at": at, "at": at}
    facts = {"counts_in": "another-machine 1 2", "blobs_in": store.identities()[0]}
    Heartbeat.objects.create(**{**fields, "facts": facts, **over})


@pytest.mark.django_db
@pytest.mark.parametrize("env", ["development", "production"])
def test_a_process_does_not_start_on_an_older_schema(
    monkeypatch: pytest.MonkeyPatch, env: str
) -> None:
    monkeypatch.setattr(settings.POSTERN, "env", env)
    recorded = MigrationRecorder.Migration.objects.filter(app="queue")

    recorded.filter(name="0004_pending_notices").delete()

    with pytest.raises(ImproperlyConfigured, match=r"queue\.0004.*manage\.py migrate"):
        startup_checks.check(scans=False)


@pytest.mark.django_db
def test_a_process_starts_on_the_schema_of_a_later_version() -> None:
    MigrationRecorder.Migration.objects.create(app="queue", name="9999_later")

    startup_checks.check(scans=False)


@pytest.mark.django_db
def test_hosts_that_share_a_database_must_share_a_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With SQLite there is a single host: no other reaches its file."""
    startup_checks.check(scans=False)
    beat(NOW)
    if connection.vendor != "postgresql":
        startup_checks.check(scans=False)
        return
    with pytest.raises(ImproperlyConfigured, match=r"mail2.*POSTERN_REDIS_URL"):
        startup_checks.check(scans=False)

    monkeypatch.setattr(settings.POSTERN, "redis_url", "redis://cache.example/0")
    startup_checks.check(scans=False)


@pytest.mark.django_db
def test_a_copied_folder_is_another() -> None:
    system, device, inode = host_state.counter_folder().split()

    beat(NOW, facts={"counts_in": f"another-machine {device} {inode}"})

    assert startup_checks.hosts_with_own_counters() == ["mail2"]
    assert system != "another-machine"


@pytest.mark.django_db
def test_an_earlier_version_on_another_host_counts_by_itself() -> None:
    beat(NOW, host=process_identity.host(), facts={})
    assert startup_checks.hosts_with_own_counters() == []

    beat(NOW, facts={})
    assert startup_checks.hosts_with_own_counters() == ["mail2"]


@pytest.mark.django_db
def test_processes_that_are_gone_count_nowhere() -> None:
    beat(BEFORE)
    beat(NOW, stopped_at=clock.now())

    assert startup_checks.hosts_with_own_counters() == []


@pytest.mark.django_db
def test_containers_that_share_the_folder_count_in_one_place() -> None:
    beat(NOW, facts={"counts_in": host_state.counter_folder()})

    assert startup_checks.hosts_with_own_counters() == []


BUCKET = "s3://mail/ at https://s3.example"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ours", "theirs", "is_shared"),
    [
        (("files", ""), None, False),
        (("files", ""), ("files 1 2 3", ""), False),
        (("files", ""), (BUCKET, ""), False),
        (("s3", ""), (BUCKET, ""), True),
        (("s3", ""), ("files 1 2 3", ""), False),
        (("s3", "files"), (BUCKET, ""), True),
        # The two steps of a move, while hosts restart one by one.
        (("files", "s3"), (BUCKET, "files"), True),
        (("s3", "files"), ("files", BUCKET), True),
        (("s3", "files"), ("files", ""), False),
    ],
)
def test_hosts_must_read_what_the_others_write(
    monkeypatch: pytest.MonkeyPatch,
    ours: tuple[str, str],
    theirs: tuple[str, str] | None,
    is_shared: bool,
) -> None:
    files, _ = store.identities()
    urls = {"s3": "s3://mail/?endpoint=https://s3.example", "files": "files", "": ""}
    monkeypatch.setattr(settings.POSTERN, "blob_url", urls[ours[0]])
    monkeypatch.setattr(settings.POSTERN, "blob_second_url", urls[ours[1]])
    monkeypatch.setattr(settings.POSTERN, "redis_url", "redis://cache.example/0")
    # "files" stands for this host's own, in a container beside it.
    first, second = [files if one == "files" else one for one in theirs or ("", "")]
    facts = {"blobs_in": first, "blobs_also_in": second} if theirs else {}

    beat(NOW, facts=facts)

    if is_shared:
        startup_checks.check(scans=False)
        return
    with pytest.raises(ImproperlyConfigured, match=r"mail2.*POSTERN_BLOB_URL"):
        startup_checks.check(scans=False)


@pytest.mark.django_db
def test_missing_authorities_of_the_bucket_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        settings.POSTERN, "blob_url", f"s3://mail/?ca={tmp_path}/ca.pem"
    )

    with pytest.raises(ImproperlyConfigured, match=r"ca\.pem.*POSTERN_BLOB_URL"):
        startup_checks.check(scans=False)


@pytest.mark.django_db(transaction=True)  # which would cache PostgreSQL's first answer
def test_a_shell_on_another_machine_stops_no_start() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("no other machine reaches SQLite's file")
    made = connection.settings_dict
    with psycopg.connect(
        host=made["HOST"],
        port=made["PORT"],
        user=made["USER"],
        dbname=made["NAME"],
        application_name="postern@mail2",
    ):
        startup_checks.check(scans=False)


@pytest.mark.parametrize(
    ("over", "sentences"),
    [
        ({}, ["POSTERN_SMTP_HOST", "POSTERN_HOST"]),
        ({"trusted_proxies": ["127.0.0.1/32"]}, ["POSTERN_SMTP_HOST"]),
        ({"smtp_host": "::1", "host": "0.0.0.0"}, ["POSTERN_SMTP_HOST"]),
        ({"mail_balancers": ["127.0.0.1/32"]}, ["POSTERN_HOST"]),
        ({"smtp_host": "0.0.0.0", "host": "10.0.0.7"}, []),
    ],
)
def test_listening_on_loopback_alone_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, over: dict[str, object], sentences: list[str]
) -> None:
    monkeypatch.setattr(settings, "POSTERN", Environment(env="test", **over))

    warned = list(startup_checks.warnings())

    assert len(warned) == len(sentences)
    assert all(name in text for name, text in zip(sentences, warned, strict=True))


@pytest.mark.slow
def test_a_command_makes_the_folder_of_all_state(tmp_path: Path) -> None:
    var = tmp_path / "srv" / "postern"
    environ = {
        **os.environ,
        "POSTERN_ENV": "test",
        "POSTERN_VAR": str(var),
        "POSTERN_DATABASE_URL": "",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "audit", "--skip-checks"],
        cwd=settings.BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
