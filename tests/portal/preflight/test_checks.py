from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from engine.backups import postgresql_dump
from engine.database import clock
from engine.health import process_identity
from engine.health.models import Heartbeat
from portal.configuration.environment import Environment
from portal.demo import certificates
from portal.demo.certificates import Authority
from portal.demo.dns_server import NameServer
from portal.preflight import (
    configuration_checks,
    dependency_checks,
    network_checks,
    results,
)
from portal.preflight.results import Result, Status
from tests.peers.clamd import Clamd
from tests.peers.process import free_port, open_folder, remove_folder
from tests.peers.redis import Redis
from tests.portal.test_production import FIT, tls


@pytest.fixture
def configure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Environment]:
    """Replaces the configuration by one that is fit for production, with changes."""

    def replace(**over: object) -> Environment:
        values = {"var": tmp_path / "var", **FIT, **tls(), **over}
        made = Environment(**values)
        monkeypatch.setattr(settings, "POSTERN", made)
        return made

    return replace


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    folder = open_folder()
    made = Clamd(folder)
    yield made
    made.stop()
    remove_folder(folder)


def one(found: Iterator[Result]) -> tuple[Status, str]:
    [result] = found
    return result.status, result.detail


def test_every_fault_of_the_configuration_is_a_line(configure) -> None:
    configure(debug=True, clamd="")

    found = list(configuration_checks.configuration())

    faults = [line.detail for line in found if line.status is Status.FAULT]
    assert [re.findall(r"POSTERN_\w+", text)[-1] for text in faults] == [
        "POSTERN_DEBUG",
        "POSTERN_CLAMD",
    ]


def test_a_fit_configuration_is_ok_and_oversights_are_warned_of(configure) -> None:
    configure(smtp_host="127.0.0.1", host="10.0.0.7")

    found = list(configuration_checks.configuration())

    assert [line.status for line in found] == [Status.WARNING, Status.OK, Status.OK]
    assert "POSTERN_SMTP_HOST" in found[0].detail


def test_development_is_warned_of(configure) -> None:
    configure(env="development")

    status, detail = one(configuration_checks.configuration())

    assert (status, "POSTERN_ENV=production" in detail) == (Status.WARNING, True)


def test_the_certificate_must_fit_its_key(configure) -> None:
    configure()
    assert one(configuration_checks.certificate())[0] is Status.OK

    configure(**tls("gate.justice.test", key="mail.justice.test"))
    status, detail = one(configuration_checks.certificate())
    assert (status, "does not belong to" in detail) == (Status.FAULT, True)


@pytest.mark.parametrize(
    ("days", "status", "word"),
    [(-0.01, Status.FAULT, "expired"), (5, Status.WARNING, "expires in")],
)
def test_a_certificate_that_expires_is_seen(
    configure,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    days: float,
    status: Status,
    word: str,
) -> None:
    monkeypatch.setattr(certificates, "CERTIFICATE_DAYS", days)
    made = Authority(tmp_path / "authority").issue("gate.justice.test")
    configure(tls_cert_file=str(made.cert_file), tls_key_file=str(made.key_file))

    found, detail = one(configuration_checks.certificate())

    assert (found, word in detail, "Renew" in detail) == (status, True, True)


def test_the_state_folder_is_private_and_writable(configure, tmp_path: Path) -> None:
    configure()
    assert one(configuration_checks.state())[0] is Status.OK

    (tmp_path / "file").touch()
    configure(var=tmp_path / "file" / "var")
    status, detail = one(configuration_checks.state())
    assert (status, "POSTERN_VAR" in detail) == (Status.FAULT, True)


def test_a_folder_of_other_programs_is_refused(configure) -> None:
    configure(var=Path("/var/lib"))

    status, detail = one(configuration_checks.state())

    assert (status, "only Postern uses" in detail) == (Status.FAULT, True)


def test_static_files_of_another_release_are_a_fault(configure) -> None:
    ours = configure()
    status, detail = one(configuration_checks.static_files())
    assert (status, "postern prepare" in detail) == (Status.FAULT, True)

    ours.var.mkdir()
    ours.path("assets.sha256").write_text("another release")
    assert one(configuration_checks.static_files())[0] is Status.FAULT


@pytest.mark.slow
def test_letters_need_a_font(tmp_path: Path) -> None:
    """In a process of its own: fontconfig reads its configuration once."""
    (tmp_path / "none.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig/>'
    )

    def check(**environment: str) -> str:
        done = subprocess.run(
            [
                sys.executable, "-c",
                ("import django; django.setup()\n"
                "from portal.preflight import configuration_checks, results\n"
                "print(results.as_lines(configuration_checks.letters()))"),
            ],
            cwd=settings.BASE_DIR,
            env={
                **os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings",
                "POSTERN_ENV": "test", "POSTERN_VAR": str(tmp_path), **environment,
            },
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    assert check().startswith("ok ")
    without = check(FONTCONFIG_FILE=str(tmp_path / "none.conf"))
    assert without.startswith("fault ")
    assert "fonts-liberation" in without


@pytest.mark.django_db
def test_a_migrated_database_with_a_true_clock_is_ok() -> None:
    found = list(dependency_checks.database())

    checks = {line.check: line.status for line in found}
    expected = {"database": Status.OK, "migrations": Status.OK, "clock": Status.OK}
    if connection.vendor == "postgresql":
        # The tests' own server does not wait for the disk.
        assert {
            line.detail.split()[0] for line in found if line.status is Status.FAULT
        } == {
            "fsync",
            "full_page_writes",
            "synchronous_commit",
        }
        checks["database"] = Status.OK
    assert checks == expected


@pytest.mark.django_db
def test_a_migration_that_is_due_is_a_fault() -> None:
    [newest] = MigrationLoader(connection).graph.leaf_nodes("queue")
    MigrationRecorder(connection).record_unapplied(*newest)

    found = {line.check: line for line in dependency_checks.database()}

    assert found["migrations"].status is Status.FAULT
    assert "postern prepare" in found["migrations"].detail


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ahead", "status"),
    [(300, Status.FAULT), (-300, Status.FAULT), (5, Status.WARNING), (0, Status.OK)],
)
def test_the_clock_is_compared_with_the_databases(
    monkeypatch: pytest.MonkeyPatch, ahead: float, status: Status
) -> None:
    true_time = time.time
    monkeypatch.setattr(time, "time", lambda: true_time() + ahead)

    found = {line.check: line for line in dependency_checks.database()}

    assert found["clock"].status is status


def test_redis_must_answer(configure) -> None:
    with Redis() as redis:
        configure(redis_url=redis.url)
        assert one(dependency_checks.shared_cache())[0] is Status.OK

        redis.stop()
        status, detail = one(dependency_checks.shared_cache())
        assert (status, "POSTERN_REDIS_URL" in detail) == (Status.FAULT, True)


def test_a_blob_can_be_kept_read_and_deleted(configure, tmp_path: Path) -> None:
    ours = configure()
    assert one(dependency_checks.blob_store())[0] is Status.OK
    assert [path for path in ours.var.rglob("*") if path.is_file()] == []

    (tmp_path / "file").touch()
    configure(var=tmp_path / "file" / "var")
    assert one(dependency_checks.blob_store())[0] is Status.FAULT


def test_missing_authorities_of_a_bucket_are_a_fault_of_every_check_that_needs_it(
    configure: Callable[..., Environment], tmp_path: Path
) -> None:
    url = f"s3://key:hidden@bucket/?ca={tmp_path}/ca.pem"
    configure(blob_url=url, backup_target=url)

    blobs = one(dependency_checks.blob_store())
    backups = one(dependency_checks.backup_target())

    assert blobs[0] is Status.FAULT
    assert backups[0] is Status.WARNING
    for _, detail in (blobs, backups):
        assert "ca.pem" in detail
        assert "hidden" not in detail
    assert not list(dependency_checks.other_hosts())


def test_the_place_of_backups_can_be_written(configure, tmp_path: Path) -> None:
    configure()
    status, detail = one(dependency_checks.backup_target())
    assert (status, "POSTERN_BACKUP_TARGET" in detail) == (Status.WARNING, True)

    configure(backup_target=str(tmp_path / "backups"))
    status, detail = one(dependency_checks.backup_target())
    assert (status, "has 0 complete backups" in detail) == (Status.OK, True)

    (tmp_path / "file").touch()
    configure(backup_target=str(tmp_path / "file"))
    status, detail = one(dependency_checks.backup_target())
    assert (status, "cannot be backed up to" in detail) == (Status.WARNING, True)


def test_checkpoints_of_the_audit_trail_leave_the_database(
    configure: Callable[..., Environment], tmp_path: Path
) -> None:
    configure()
    status, detail = one(dependency_checks.audit_checkpoints())
    assert (status, "POSTERN_AUDIT_CHECKPOINT_FILE" in detail) == (Status.WARNING, True)

    file = str(tmp_path / "checkpoints.jsonl")
    url = "https://records.example/hook?token=hidden"
    configure(audit_checkpoint_file=file, audit_checkpoint_url=url)
    status, detail = one(dependency_checks.audit_checkpoints())
    assert (status, f"{file}, records.example" in detail) == (Status.OK, True)
    assert "hidden" not in detail

    configure(audit_checkpoint_file=str(tmp_path / "missing" / "checkpoints.jsonl"))
    status, detail = one(dependency_checks.audit_checkpoints())
    assert (status, "cannot be appended to" in detail) == (Status.WARNING, True)


def test_backups_of_postgresql_need_its_programs(
    configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(postgresql_dump, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    configure(backup_target=str(tmp_path / "backups"))

    status, detail = one(dependency_checks.backup_target())

    assert (status, "pg_dump is not installed" in detail) == (Status.WARNING, True)


@pytest.mark.slow
def test_clamd_must_answer_and_open_archives(configure, clamd: Clamd) -> None:
    configure(clamd=clamd.socket)
    status, detail = one(dependency_checks.scanners())
    assert (status, "POSTERN_CLAMD" in detail) == (Status.FAULT, True)

    clamd.start()
    status, detail = one(dependency_checks.scanners())
    assert status in (Status.OK, Status.WARNING), detail
    assert (status is Status.WARNING) == ("RAR" in detail)
    clamd.stop()


@pytest.mark.slow
def test_a_clamd_that_opens_no_archives_is_a_fault(configure) -> None:
    folder = open_folder()
    closed = Clamd(folder, settings="ScanArchive no\n")
    closed.start()
    try:
        configure(clamd=closed.socket)
        status, detail = one(dependency_checks.scanners())
    finally:
        closed.stop()
        remove_folder(folder)

    assert status is Status.FAULT
    assert "zip" in detail
    assert (Path(settings.BASE_DIR) / re.search(r"deploy/\S+", detail)[0]).exists()


def test_the_smart_host_must_answer(configure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        configure(smarthost=f"postern:secret@127.0.0.1:{port}")
        assert one(dependency_checks.smart_host_port())[0] is Status.OK

    status, detail = one(dependency_checks.smart_host_port())
    assert (status, "secret" in detail) == (Status.WARNING, False)


@pytest.mark.django_db
def test_a_port_is_free_or_ours(configure) -> None:
    names = ("web", "smtp", "submission", "submissions", "pop3", "pop3s")
    numbers = {f"{name}_port": free_port() for name in names}
    configure(**numbers, host="127.0.0.1", smtp_host="127.0.0.1")
    assert {line.status for line in network_checks.ports()} == {Status.OK}

    with socket.create_server(("127.0.0.1", numbers["smtp_port"])):
        [taken] = [
            line for line in network_checks.ports() if line.status is Status.FAULT
        ]
        assert taken.check == f"port {numbers['smtp_port']}"
        assert "POSTERN_SMTP_PORT" in taken.detail

        now = clock.now()
        Heartbeat.objects.create(
            kind="engine", host=process_identity.host(), pid=7, started_at=now, at=now
        )
        assert {line.status for line in network_checks.ports()} == {Status.OK}


@pytest.mark.django_db
def test_an_address_of_another_machine_is_a_fault(configure) -> None:
    configure(host="192.0.2.7", smtp_host="127.0.0.1")

    web = next(network_checks.ports())

    assert (web.status, "POSTERN_WEB_PORT" in web.detail) == (Status.FAULT, True)


@pytest.mark.django_db
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_port_that_only_the_service_may_open_is_free(configure) -> None:
    """Bound by a child process that has given up root, as in a shell of the service."""
    configure(smtp_port=26, smtp_host="127.0.0.1")
    code = (
        "import os\n"
        "from portal.preflight import network_checks\n"
        # The clone may be root's alone: nothing is imported after this.
        "os.setuid(65534)\n"
        "print(network_checks._port('POSTERN_SMTP_PORT', '127.0.0.1', 26, False))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
        env={
            **os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings",
            "POSTERN_ENV": "test",
        },
    )  # fmt: skip

    assert "It is free" in done.stdout


def test_names_are_looked_up(configure) -> None:
    with NameServer() as server:
        configure(dns_servers=[server.server])
        found = list(network_checks.names())
        assert [line.status for line in found] == [Status.WARNING] * 3
        assert "MX record to gate.justice.test" in found[2].detail

        for name in ("gate.justice.test", "mail.justice.test"):
            server.add(name, "A", "192.0.2.1")
        server.add("justice.test", "MX", "10 gate.justice.test.")
        network_checks.dns.flush_cache()
        found = list(network_checks.names())
        assert [line.status for line in found] == [Status.OK] * 3


def run(
    tmp_path: Path, *options: str, **environment: str
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "check_service", *options],
        cwd=settings.BASE_DIR,
        env={
            **os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings",
            "POSTERN_ENV": "production", "POSTERN_VAR": str(tmp_path / "var"),
            "POSTERN_DATABASE_URL": "", "POSTERN_DNS_SERVERS": '["127.0.0.1:9"]',
            "POSTERN_CLAMD": "", **environment,
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_command_reports_all_faults_as_lines_or_json(tmp_path: Path) -> None:
    lines = run(tmp_path)
    document = run(tmp_path, "--json")

    assert (lines.returncode, document.returncode) == (1, 1), lines.stderr
    found = json.loads(document.stdout)
    assert found["ready"] is False
    kinds = {one["check"]: one["status"] for one in found["checks"]}
    assert kinds["migrations"] == kinds["static files"] == "fault"
    assert kinds["database"] == kinds["letters"] == "ok"
    assert len(lines.stdout.splitlines()) == len(found["checks"])
    assert "Set POSTERN_SECRET_KEY" in lines.stdout


@pytest.mark.slow
def test_a_variable_of_a_wrong_kind_is_named_without_its_value(tmp_path: Path) -> None:
    wrong = run(tmp_path, POSTERN_WEB_PORT="hunter2", POSTERN_BACKUP_HOURS="0")
    listed = run(tmp_path, POSTERN_ALLOWED_HOSTS="mail.justice.test")

    assert (wrong.returncode, listed.returncode) == (1, 1)
    assert "POSTERN_WEB_PORT: " in wrong.stderr
    assert "POSTERN_BACKUP_HOURS: " in wrong.stderr
    assert "Traceback" not in wrong.stderr + listed.stderr
    assert "hunter2" not in wrong.stderr
    assert "allowed_hosts" in listed.stderr


def test_results_are_one_line_each() -> None:
    found = [
        Result("database", Status.FAULT, "It does not answer:\n  no route\nStart it."),
        Result("clock", Status.OK, "Right."),
    ]

    assert results.as_lines(found).splitlines() == [
        "fault    database         It does not answer: no route Start it.",
        "ok       clock            Right.",
    ]
