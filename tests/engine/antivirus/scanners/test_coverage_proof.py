"""Which archives each scanner opens, determined by test messages, and what follows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db.models.functions import Now
from django_q.models import Schedule

from engine.antivirus import tasks
from engine.antivirus.attachments import policy
from engine.antivirus.attachments.policy import File
from engine.antivirus.models import ScannerProof
from engine.antivirus.scanners import coverage_proof
from engine.antivirus.scanners.eicar_messages import (
    BESIDE_ENCRYPTED,
    messages,
    standard_file,
)
from engine.antivirus.scanners.interface import ScannerUnavailable
from engine.antivirus.verdict import Verdict, VerdictState
from engine.mail.errors import PermanentFailure
from engine.management import startup_checks
from engine.queue.notifications import upload_scan
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from tests.engine.antivirus import archives, specimens
from tests.fakes import RecordingClamd
from tests.peers import seven_zip
from tests.peers.clamd import EICAR, Clamd, has_unrar, unrar_libraries

pytestmark = pytest.mark.django_db

WITHOUT_RAR = set(coverage_proof.KINDS if has_unrar() else coverage_proof.BASIC)


@pytest.fixture
def use_clamd(settings):
    def change(target: str, **over: object) -> None:
        over["clamd"] = target
        settings.POSTERN = settings.POSTERN.model_copy(update=over)

    return change


def attached(kind: str) -> bytes:
    """Returns the file that tests whether a scanner opens this kind."""
    message = message_from_bytes(messages()[kind], policy=default)
    [part] = message.iter_attachments()
    return part.get_content()


def opened_kinds() -> set[str]:
    [found] = coverage_proof.prove()
    assert not found.problem
    return set(found.opens)


@contextmanager
def running_clamd(**options: object) -> Iterator[Clamd]:
    with tempfile.TemporaryDirectory() as folder:
        peer = Clamd(Path(folder), **options)
        peer.start()
        try:
            yield peer
        finally:
            peer.stop()


def test_the_test_file_stands_plainly_in_no_message() -> None:
    assert standard_file() == EICAR
    assert set(messages()) == set(coverage_proof.KINDS)
    assert not any(EICAR in message for message in messages().values())
    assert not any(EICAR in attached(k) for k in ("7z", "rar", "zip", "tar.xz", "docm"))


@pytest.mark.parametrize("libraries", [None, *unrar_libraries()])
def test_clamd_opens_all_but_rar_and_that_with_a_library(
    use_clamd, libraries: Path | None
) -> None:
    with running_clamd(libraries=libraries) as peer:
        use_clamd(peer.socket)

        found = opened_kinds()

    unopened = set() if libraries or has_unrar() else {"rar"}
    assert found == set(coverage_proof.KINDS) - unopened
    assert coverage_proof.current() == unopened


def test_the_fallback_opens_what_it_says(use_clamd) -> None:
    use_clamd("")

    assert set(coverage_proof.KINDS) - opened_kinds() == {"7z", "rar", "tar.xz"}


def test_a_setting_that_shuts_archives_is_seen(use_clamd) -> None:
    with running_clamd(settings="ScanArchive no\n") as peer:
        use_clamd(peer.socket)

        assert {"zip", "7z", "tar.xz", "docm"} <= set(
            coverage_proof.KINDS
        ) - opened_kinds()


def test_a_setting_that_stops_at_what_is_encrypted_is_seen(use_clamd) -> None:
    with running_clamd(settings="HeuristicScanPrecedence yes\n") as peer:
        use_clamd(peer.socket, env="production", encrypted_content="mark")

        with pytest.raises(ImproperlyConfigured, match="beside an encrypted one"):
            startup_checks.check(scans=True)
    assert coverage_proof.current() & set(coverage_proof.BASIC) == {BESIDE_ENCRYPTED}


def test_nothing_encrypted_is_carried_past_a_scanner_that_stops_there(
    use_clamd,
) -> None:
    use_clamd("", encrypted_content="mark")
    locked = [File("papers.zip", "", specimens.encrypted_zip())]
    by_scanner = Verdict(VerdictState.ENCRYPTED)

    carried = policy.check_can_carry(locked, unopened={"rar"})
    assert policy.unscanned(carried, by_scanner) == ["encrypted archive"]
    with pytest.raises(PermanentFailure, match="An archive that is encrypted"):
        policy.check_can_carry(locked, unopened={BESIDE_ENCRYPTED})
    plain = policy.check_can_carry([], unopened={BESIDE_ENCRYPTED})
    with pytest.raises(PermanentFailure, match="A file that is encrypted"):
        policy.unscanned(plain, by_scanner)


def test_what_the_scanner_finds_encrypted_counts_beside_an_archive_it_does_not_open(
    use_clamd,
) -> None:
    examined = policy.Examined(unscanned={"rar archive"})
    by_scanner = Verdict(VerdictState.ENCRYPTED)

    use_clamd("", encrypted_content="refuse")
    with pytest.raises(PermanentFailure, match="A file that is encrypted"):
        policy.unscanned(examined, by_scanner)
    use_clamd("", encrypted_content="mark")
    assert policy.unscanned(examined, by_scanner) == ["encrypted file", "rar archive"]


def test_the_scanners_with_which_something_is_wrong_are_known(
    use_clamd, clamd: Clamd, recording_clamd: RecordingClamd
) -> None:
    use_clamd(f"{clamd.socket},{recording_clamd.socket},/nowhere/clamd")
    coverage_proof.prove()

    [finds_nothing, away] = sorted(
        coverage_proof.shortfalls(), key=lambda one: one.problem
    )

    assert finds_nothing.scanner.endswith(recording_clamd.socket)
    assert (finds_nothing.missing, finds_nothing.problem) == (coverage_proof.BASIC, "")
    assert away.scanner.endswith("/nowhere/clamd")
    assert away.missing == ()
    assert "cannot be reached" in away.problem


def test_production_does_not_start_where_the_basic_set_fails(use_clamd) -> None:
    with running_clamd(settings="ScanMail no\n") as peer:
        use_clamd(peer.socket, env="production")

        with pytest.raises(
            ImproperlyConfigured, match=r"test file in: attachment, zip"
        ):
            startup_checks.check(scans=True)


def test_the_engine_does_not_start_then(
    use_clamd, recording_clamd: RecordingClamd
) -> None:
    use_clamd(recording_clamd.socket, env="production")

    with pytest.raises(ImproperlyConfigured, match=r"antivirus/README\.md"):
        call_command("run_engine")


def test_production_starts_without_rar(use_clamd, clamd: Clamd) -> None:
    use_clamd(clamd.socket, env="production")

    startup_checks.check(scans=True)


def test_a_scanner_that_does_not_answer_fails_nothing(use_clamd) -> None:
    use_clamd("/nowhere/clamd")

    assert list(coverage_proof.faults()) == []
    [kept] = coverage_proof.proofs()
    assert (kept.proved_at, kept.opens) == (None, [])
    assert "cannot be reached" in kept.problem
    assert coverage_proof.current() == {"rar"}


def test_what_was_proved_stays_while_the_scanner_is_away(use_clamd) -> None:
    with running_clamd() as peer:
        use_clamd(peer.socket)
        opened_kinds()
    [kept] = coverage_proof.prove()

    assert set(kept.opens) == WITHOUT_RAR
    assert kept.problem
    assert coverage_proof.current() == set(coverage_proof.KINDS) - WITHOUT_RAR


def test_several_scanners_open_what_all_of_them_open(
    use_clamd, clamd: Clamd, recording_clamd: RecordingClamd
) -> None:
    """The second scanner opens nothing."""
    use_clamd(f"{clamd.socket},{recording_clamd.socket}")
    coverage_proof.prove()

    assert coverage_proof.current() == set(coverage_proof.KINDS)
    assert len(coverage_proof.proofs()) == 2


def test_a_scanner_that_finds_nothing_at_all_defers_everything(
    recording_clamd: RecordingClamd, bob: Person
) -> None:
    coverage_proof.prove()

    with pytest.raises(
        ScannerUnavailable, match="does not find the standard test file"
    ):
        policy.check_can_carry([], unopened=coverage_proof.current())
    with pytest.raises(PolicyError, match="Cannot scan for viruses"):
        upload_scan.check_is_clean(b"name,address\n", by=bob)


def test_it_is_proved_every_hour(use_clamd, clamd: Clamd) -> None:
    use_clamd(clamd.socket)
    schedule = Schedule.objects.get(name="antivirus.prove")

    assert schedule.schedule_type == Schedule.HOURLY
    assert (schedule.func, tasks.prove()) == ("engine.antivirus.tasks.prove", 1)


def test_the_engine_proves_again_what_is_old_or_failed(use_clamd, clamd: Clamd) -> None:
    use_clamd(clamd.socket)
    coverage_proof.prove()
    rows = ScannerProof.objects.all()
    before = rows.get().proved_at

    coverage_proof.renewed()
    assert rows.get().proved_at == before
    rows.update(proved_at=Now() - timedelta(hours=1, minutes=1))
    coverage_proof.renewed()
    assert rows.get().proved_at > before - timedelta(seconds=1)
    rows.update(problem="It was away.")
    coverage_proof.renewed()
    assert rows.get().problem == ""
    opens = rows.get().opens
    rows.update(opens=[])  # clamd was repaired in the meantime
    coverage_proof.renewed()
    assert rows.get().opens == opens != []


KINDS = {
    "zip": specimens.zipped(b"x"),
    "7z": attached("7z"),
    "rar": archives.rar5({"a.txt": b"x"}),
    "tar.gz": specimens.gzipped(b"x"),
    "tar.xz": attached("tar.xz"),
    "docm": specimens.zipped_under({"word/vbaProject.bin": b"x"}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrap", [lambda data: data, specimens.tarred])
def test_what_is_not_opened_is_refused_by_name(settings, kind: str, wrap) -> None:
    carried = [File("papers.bin", "", wrap(KINDS[kind]))]

    policy.check_can_carry(
        carried,
        unopened=set(coverage_proof.KINDS) - {kind, "attachment"} - {"zip", "tar.gz"},
    )
    with pytest.raises(
        PermanentFailure, match=rf"does not open files of the kind \.{kind}"
    ):
        policy.check_can_carry(carried, unopened={kind})


def test_what_is_not_opened_is_carried_with_a_mark_where_the_community_says_so(
    use_clamd, clamd: Clamd
) -> None:
    use_clamd(clamd.socket, archives_unscanned=frozenset({"rar"}))
    coverage_proof.prove()

    examined = policy.check_can_carry(
        [File("papers.rar", "", KINDS["rar"])], unopened=coverage_proof.current()
    )

    assert examined.unscanned == {"rar archive"}


def test_rar_behind_something_else_is_refused_too() -> None:
    data = b"A picture of a cat. " * 9 + KINDS["rar"]

    with pytest.raises(PermanentFailure, match=r"kind \.rar"):
        policy.check_can_carry([File("cat.jpg", "", data)], unopened={"rar"})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("papers.rar", "rar"), ("Papers.RAR", "rar"), ("papers.7z", "7z")),
        *(("papers.tar.xz", "tar.xz"), ("papers.txz", "tar.xz"), ("a.tgz", "tar.gz")),
    ],
)
@pytest.mark.parametrize("switches", [("-m0=PPMd",), ("-tzip", "-mm=Deflate64")])
def test_an_archive_that_cannot_be_read_here_is_judged_by_its_name(
    tmp_path: Path, name: str, kind: str, switches: tuple[str, ...]
) -> None:
    papers = {name: KINDS["rar"] + bytes(range(256)) * 9}
    packed = [File("a.bin", "", seven_zip.pack(tmp_path, papers, *switches))]

    policy.check_can_carry(
        packed, unopened=set(coverage_proof.ARCHIVES) - {kind, "7z", "zip", "rar"}
    )
    with pytest.raises(PermanentFailure, match=rf"kind \.{kind}"):
        policy.check_can_carry(packed, unopened={kind})
