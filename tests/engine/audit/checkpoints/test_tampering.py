"""`verify_audit` names what was done to the audit trail, and the operators are alarmed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from engine.audit import tasks
from engine.audit.checkpoints import (
    making,
    outside,
    signing_keys,
    statements,
    verification,
)
from engine.audit.models import ChainCheck, ChainEnd, Checkpoint, Entry
from engine.audit.record import record
from engine.database import clock
from engine.health.checks import audit_trail
from engine.health.checks.findings import CheckContext
from engine.signing.models import SigningKey
from tests import factories
from tests.engine.audit.checkpoints import tampering

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that checkpoints are appended to."""
    path = tmp_path / "checkpoints.jsonl"
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_file", str(path))
    return path


def append(count: int) -> None:
    organisation = factories.make_organisation()
    for _ in range(count):
        record("organisation.edited", organisation, by=None)


def checkpoint() -> None:
    making.make()
    outside.send_waiting()


@pytest.fixture
def trail(file: Path) -> Path:
    """Three checkpoints, each after five entries, and two entries since then."""
    for _ in range(3):
        append(5)
        checkpoint()
    append(2)
    return file


def verify(*arguments: str) -> str:
    said = StringIO()
    call_command("verify_audit", *arguments, stdout=said)
    return said.getvalue()


def problems(*arguments: str) -> str:
    with pytest.raises(CommandError) as failure:
        verify(*arguments)
    assert failure.value.returncode == 1
    return str(failure.value)


def alarms() -> list[str]:
    context = CheckContext(clock.now(), [], 60.0)
    return [one.detail for one in audit_trail.check(context)]


def an_entry(position: int) -> Entry:
    return Entry.objects.order_by("pk")[position]


def test_an_untouched_trail_is_intact_and_its_tail_is_told_with_its_age(
    trail: Path,
) -> None:
    said = verify()

    assert "Checkpoints prove 15 entries" in said
    assert (
        "The 2 since then are not proved yet; the oldest is 0\xa0minutes old." in said
    )
    assert "The audit chain is intact: 17 entries." in said
    assert alarms() == []


def test_a_changed_row_is_named(trail: Path) -> None:
    entry = an_entry(7)
    Entry.objects.filter(pk=entry.pk).update(by_name="Somebody else")

    said = problems()

    assert f"Entry {entry.pk} (organisation.edited" in said
    assert said.count("  - ") == 1
    assert f"Entry {entry.pk}" in alarms()[0]


def test_rows_deleted_before_the_last_checkpoint_are_named(trail: Path) -> None:
    gone = [an_entry(3).pk, an_entry(4).pk]
    after = an_entry(5)
    Entry.objects.filter(pk__in=gone).delete()

    said = problems()

    assert f"Entry {after.pk} does not follow" in said
    assert "2 entries are missing before entry" in said
    assert "proves entries that are gone." in said
    assert "rewritten" not in said
    assert alarms()


def test_rows_deleted_at_the_end_are_named(trail: Path) -> None:
    Entry.objects.filter(pk__gte=an_entry(12).pk).delete()

    said = problems()

    assert "The last 5 of 17 entries were deleted" in said
    assert "3 entries at the end were deleted" in said
    assert alarms()


def test_rows_deleted_at_the_end_are_named_though_the_end_fits(trail: Path) -> None:
    Entry.objects.filter(pk__gte=an_entry(12).pk).delete()
    ChainEnd.objects.update(length=12, digest=an_entry(11).digest)

    said = problems()

    assert "3 entries at the end were deleted: the checkpoint of" in said
    assert alarms()


def test_a_tail_deleted_since_the_last_checkpoint_cannot_be_proved(trail: Path) -> None:
    Entry.objects.filter(pk__gte=an_entry(15).pk).delete()
    ChainEnd.objects.update(length=15, digest=an_entry(14).digest)

    assert "The audit chain is intact: 15 entries." in verify()


@pytest.mark.parametrize("position", [0, 7, 14])
def test_a_chain_rewritten_whole_with_correct_digests_is_named(
    trail: Path, position: int
) -> None:
    rows = list(Entry.objects.order_by("pk"))
    rows[position].by_name = "Somebody else"
    tampering.rewrite(rows)

    said = problems()

    assert "The chain was rewritten with digests that fit" in said
    assert alarms()


def test_a_row_taken_from_a_chain_that_is_linked_again_is_named(trail: Path) -> None:
    tampering.rewrite(tampering.without(an_entry(7)))

    assert "The chain was rewritten with digests that fit" in problems()


def test_a_rewritten_chain_whose_checkpoints_are_taken_is_named_by_the_file(
    trail: Path,
) -> None:
    Checkpoint.objects.all().delete()
    tampering.rewrite(tampering.without(an_entry(0)))

    said = problems()

    assert "the checkpoints in the table were replaced" in said
    assert "in checkpoints.jsonl proves other entries. So do 2 more." in said


def test_in_production_the_database_alone_cannot_take_its_checkpoints_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "env", "production")
    monkeypatch.setattr(settings.POSTERN, "var", tmp_path)
    for _ in range(3):
        append(5)
        checkpoint()
    kept = tmp_path / "audit" / "checkpoints.jsonl"
    assert len(kept.read_bytes().splitlines()) == 3
    assert kept.stat().st_mode & 0o077 == kept.parent.stat().st_mode & 0o077 == 0
    assert "The audit chain is intact: 15 entries." in verify()

    first = Checkpoint.objects.last()
    Checkpoint.objects.exclude(pk=first.pk).delete()
    tampering.rewrite(tampering.without(an_entry(7)))
    making.make()

    assert "proves other entries" in problems()
    assert "proves other entries" in alarms()[0]


def test_a_rewritten_chain_that_is_signed_again_is_named_by_the_file(
    trail: Path,
) -> None:
    backup = tampering.back_up()
    Checkpoint.objects.all().delete()
    tampering.rewrite(tampering.without(an_entry(7)))
    for row in backup.checkpoints:
        made = making.make()
        made.at = row.at

    said = problems()

    assert "The chain was rewritten" in said or "everything after" in said
    assert alarms()


def test_a_rewritten_chain_with_another_key_is_named_by_the_exported_key(
    trail: Path, tmp_path: Path
) -> None:
    exported = tmp_path / "key.pem"
    said = StringIO()
    call_command("audit_key", stdout=said)
    exported.write_text(said.getvalue())
    SigningKey.objects.all().delete()
    Checkpoint.objects.all().delete()
    tampering.rewrite(tampering.without(an_entry(7)))
    making.make()

    assert "is signed with a key that is not known here" in problems()
    assert "proves other entries" in problems("--key", str(exported))


def sign_with(private: Ed25519PrivateKey, key_id: str) -> None:
    """Replaces the table's checkpoints by one of the present end, signed elsewhere."""
    end = ChainEnd.objects.get()
    facts = {"at": clock.now(), "length": end.length, "digest": end.digest}
    text = statements.compose(community="", key=key_id, **facts)
    signature = b64encode(private.sign(text.encode())).decode()
    Checkpoint.objects.all().delete()
    Checkpoint.objects.create(statement=text, signature=signature, **facts)


@pytest.mark.parametrize("is_added", [True, False])
def test_a_key_that_was_put_into_the_database_proves_nothing(
    trail: Path, is_added: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_file", "")
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    [key_id] = signing_keys.from_pem(pem)
    row = SigningKey.objects.get()
    row.key_id, row.public_key = key_id, pem.decode()
    if is_added:
        row.pk, row.retired_at = None, clock.now()
    row.save()
    tampering.rewrite(tampering.without(an_entry(7)))
    sign_with(private, key_id)

    said = problems()

    assert f"is signed with a key that is not known here, {key_id}" in said
    assert alarms()
    printed = StringIO()
    call_command("audit_key", stdout=printed)
    assert f"{key_id} is in the database, but" in printed.getvalue()
    assert pem.decode().strip() not in printed.getvalue()


def test_checkpoints_that_are_taken_from_the_table_are_missed(
    trail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_file", "")
    Checkpoint.objects.all().delete()
    assert "No checkpoint proves any entry" in verify()

    SigningKey.objects.update(made_at=clock.now() - timedelta(hours=4))

    assert "has no checkpoint that was signed with the key" in problems()
    assert alarms()


def test_a_compromised_key_proves_nothing_that_was_kept_in_the_table_alone(
    trail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_file", "")
    stolen = signing_keys.current()

    call_command("audit_key", "--compromised", stdout=StringIO())

    stolen.refresh_from_db()
    assert stolen.compromised_at is not None
    said = verify()
    assert "3 checkpoints are signed with a key that others may have" in said
    assert "Checkpoints prove 18 entries" in said
    entry = Entry.objects.get(event="audit.key_compromised")
    assert entry.detail["compromised"] == stolen.key_id

    # The thief has the database too.
    Checkpoint.objects.all().delete()
    tampering.rewrite(tampering.without(an_entry(7)))
    making.make(key=stolen)

    assert "has no checkpoint that was signed with the key" in problems()


def test_what_a_compromised_key_signed_is_still_proved_by_the_file(trail: Path) -> None:
    call_command("audit_key", "--compromised", stdout=StringIO())
    outside.send_waiting()
    said = verify()
    assert "that others may have" not in said
    assert "Checkpoints prove 18 entries" in said

    tampering.rewrite(tampering.without(an_entry(7)))

    assert "was rewritten" in problems()


def test_a_line_that_a_thief_of_the_key_appends_is_named(trail: Path) -> None:
    stolen = signing_keys.current()
    call_command("audit_key", "--compromised", stdout=StringIO())
    outside.send_waiting()
    made = making.make(key=stolen)
    with trail.open("ab") as file:
        file.write(outside.as_lines([made]))

    said = problems()

    assert "is signed with a key that was replaced before it" in said


@pytest.mark.parametrize("what", ["lost", "cut off"])
def test_a_file_of_checkpoints_that_is_lost_alarms(trail: Path, what: str) -> None:
    lines = trail.read_bytes().splitlines(keepends=True)
    if what == "lost":
        trail.unlink()
    else:
        trail.write_bytes(b"".join(lines[2:]))

    assert tasks.verify_chain()

    count = 3 if what == "lost" else 2
    assert f"{count} checkpoints that were appended to" in alarms()[0]
    assert "was lost, cut off or replaced" in problems()

    said = verify("--append-again")

    assert f"Checkpoints that were appended again: {count}." in said
    assert set(lines) <= set(trail.read_bytes().splitlines(keepends=True))
    assert alarms() == []
    entry = Entry.objects.get(event="audit.checkpoints_appended_again")
    assert entry.detail == {"count": count}


def test_a_file_that_another_host_writes_is_not_missed(
    trail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail.unlink()
    monkeypatch.setattr(outside.socket, "gethostname", lambda: "another")

    assert "intact" in verify()


def test_an_old_backup_that_is_restored_is_named(trail: Path) -> None:
    backup = tampering.back_up()
    append(3)
    checkpoint()
    tampering.restore(backup)

    said = problems()

    assert "An older backup was restored: the chain and its checkpoints" in said
    assert alarms()


def test_an_old_backup_is_named_after_the_service_went_on(trail: Path) -> None:
    backup = tampering.back_up()
    append(3)
    checkpoint()
    tampering.restore(backup)
    append(9)
    checkpoint()

    assert "An older backup was restored and the service went on" in problems()
    assert alarms()


def test_a_restore_that_an_operator_accepts_is_signed_and_alarms_no_more(
    trail: Path,
) -> None:
    backup = tampering.back_up()
    append(3)
    checkpoint()
    tampering.restore(backup)
    append(9)
    problems()

    said = verify("--accept-restore")

    assert "Checkpoints that were abandoned: 1." in said
    assert "The audit chain is intact" in said
    assert alarms() == []
    entry = Entry.objects.get(event="audit.restore_accepted")
    assert len(entry.detail["checkpoints"]) == 1
    outside.send_waiting()
    assert "intact" in verify()


def test_what_only_the_table_abandons_is_still_proved_by_the_file(
    trail: Path,
) -> None:
    tampering.rewrite(tampering.without(an_entry(0)))
    Checkpoint.objects.all().delete()
    lines = trail.read_text().splitlines()
    ids = [statements.from_line(line.encode()).id for line in lines]

    making.accept_restore(ids)

    assert "was rewritten" in problems() or "was restored" in problems()


def test_accepting_a_restore_hides_no_changed_row(trail: Path) -> None:
    Entry.objects.filter(pk=an_entry(7).pk).update(by_name="Somebody else")

    assert "was changed" in problems("--accept-restore")


def test_a_checkpoint_that_was_taken_from_the_table_is_named(trail: Path) -> None:
    Checkpoint.objects.order_by("pk")[1].delete()

    assert "is no longer in the table of checkpoints" in problems()


def test_a_checkpoint_of_the_table_that_cannot_be_read_is_named(trail: Path) -> None:
    Checkpoint.objects.filter(pk=Checkpoint.objects.first().pk).update(statement="{")

    assert "of the table was changed" in problems()


@pytest.mark.parametrize("column", ["statement", "signature", "digest", "length"])
def test_a_changed_checkpoint_is_named(trail: Path, column: str) -> None:
    first, last = Checkpoint.objects.last(), Checkpoint.objects.first()
    Checkpoint.objects.filter(pk=first.pk).update(**{column: getattr(last, column)})

    said = problems()

    assert f"Checkpoint {first.pk} of the table" in said
    assert alarms()


def test_a_changed_line_of_the_file_is_named(trail: Path) -> None:
    lines = trail.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace('\\"length\\":10', '\\"length\\":12')
    lines.append("nothing\n")
    trail.write_text("".join(lines))

    said = problems()

    assert "line 2 of checkpoints.jsonl has a signature that is not ours" in said
    assert "Line 4 of checkpoints.jsonl is no checkpoint" in said


def test_a_file_that_cannot_be_read_verifies_nothing(trail: Path) -> None:
    said = problems("--checkpoints", str(trail.with_name("elsewhere")))

    assert "Nothing was verified" in said
    assert not ChainCheck.objects.exists()


def test_the_periodic_verification_alarms(trail: Path) -> None:
    Entry.objects.filter(pk=an_entry(7).pk).update(by_name="Somebody else")

    assert tasks.verify_chain()

    assert "was changed" in alarms()[0]
    assert not tasks.verify_chain()


def test_the_periodic_verification_goes_on_where_a_slice_ended(
    trail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.audit.checkpoints.walk.BATCH", 4)
    monkeypatch.setattr("engine.audit.checkpoints.verification.SLICE_SECONDS", 1e-9)
    ticks = iter(range(1_000))
    monkeypatch.setattr(
        "engine.audit.checkpoints.walk.time.monotonic", lambda: next(ticks) // 2
    )
    slices = 0
    while not ChainCheck.objects.exclude(finished_at=None).exists():
        tasks.verify_chain()
        append(1) if slices < 3 else None
        slices += 1

    found = ChainCheck.objects.get()
    assert slices > 3
    assert (found.position, found.proved, found.problems) == (20, 15, [])


def test_a_verification_by_hand_does_not_end_the_one_that_has_begun(
    trail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.audit.checkpoints.walk.BATCH", 4)
    with monkeypatch.context() as patch:
        patch.setattr("engine.audit.checkpoints.verification.SLICE_SECONDS", -1)
        tasks.verify_chain()
    begun = ChainCheck.objects.get(finished_at=None)
    verification.verify()

    assert tasks.verify_chain()

    begun.refresh_from_db()
    assert begun.finished_at is not None


def test_what_the_outside_showed_is_not_ended_by_a_verification_without_it(
    trail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Checkpoint.objects.all().delete()
    tampering.rewrite(tampering.without(an_entry(0)))
    problems()
    monkeypatch.setattr(settings.POSTERN, "audit_checkpoint_file", "")

    verify()

    assert alarms()


def one_octet(rows: list[Entry], at: int) -> None:
    Entry.objects.filter(pk=rows[at].pk).update(event="person.suspended")


def one_gone(rows: list[Entry], at: int) -> None:
    Entry.objects.filter(pk=rows[at].pk).delete()


def all_rewritten(rows: list[Entry], at: int) -> None:
    rows[at].subject_name = "Somebody else"
    tampering.rewrite(rows)


def cut_off(rows: list[Entry], at: int) -> None:
    tampering.rewrite(rows[:at])


def swapped(rows: list[Entry], at: int) -> None:
    rows[at].event = "person.added"
    rows[at], rows[at - 1] = rows[at - 1], rows[at]
    rows[at].pk, rows[at - 1].pk = rows[at - 1].pk, rows[at].pk
    tampering.rewrite(rows)


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    tail=st.integers(0, 3),
    where=st.integers(0, 1_000),
    act=st.sampled_from([one_octet, one_gone, all_rewritten, cut_off, swapped]),
)
@effort(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_nothing_that_a_checkpoint_proves_can_be_changed(
    db: None,
    lengths: list[int],
    tail: int,
    where: int,
    act: Callable[[list[Entry], int], None],
) -> None:
    for model in (Entry, ChainEnd, Checkpoint, ChainCheck):
        model.objects.all().delete()
    signing_keys.current()
    for count in lengths:
        append(count)
        making.make()
    proved = Entry.objects.count()
    append(tail)
    verify()

    act(list(Entry.objects.order_by("pk")), where % proved)

    assert "does not hold" in problems()
