from __future__ import annotations

import itertools
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_q.models import OrmQ
from hypothesis import given
from hypothesis import strategies as st

from engine.audit.models import Entry
from engine.database import clock
from engine.jobs import worker
from engine.lanes import Lane
from engine.registry.errors import PolicyError
from engine.registry.models import DistributionList, Mailbox, Organisation, Person
from engine.storage.models import Content
from portal.account_admin.tasks import invite
from portal.organisation.models import PeopleFile
from portal.organisation.people_file import csv_reader, importer, tasks
from portal.ui.spreadsheets import safe_cell
from tests import jobs
from tests.engine.antivirus.specimens import zipped
from tests.portal.organisation.conftest import Path

HEAD = "Name,Secure address,Job title,Phone,Town,Everyday address\n"
JO = "Jo Field,jo@northfield.secure.example,Clerk,'+44 113 496 0000,Leeds,jo@mail.example\n"


def upload(
    admin_client: Client, path_to: Path, raw: bytes | str, **fields: str
) -> PeopleFile:
    data = raw.encode() if isinstance(raw, str) else raw
    file = SimpleUploadedFile("people.csv", data)
    page = admin_client.post(path_to("people/file/"), {"file": file, **fields})
    assert page.status_code == 302, page.content.decode()
    return PeopleFile.objects.get()


def test_file_is_tried_before_anything_is_done(
    admin_client: Client, path_to: Path, bob: Person, charlie: Person
) -> None:
    file = upload(
        admin_client,
        path_to,
        HEAD
        + JO
        + "Bob,bob@northfield.secure.example,,,,\n"
        + ",x@northfield.secure.example,,,,\n"
        + "X,x@harbour.secure.example,,,,\n"
        + "X,not an address,,,,\n"
        + "Jo again,JO,,,,\n"
        + f"{'x' * 151},long,,,,\n",
    )

    assert [row["address"] for row in file.rows] == ["jo@northfield.secure.example"]
    assert file.known_count == 1
    assert [line for line, _ in file.faults] == [4, 5, 6, 7, 8]
    assert not Person.objects.filter(name="Jo Field").exists()


def test_a_thousand_rows_take_few_questions(
    admin_client: Client, path_to: Path, django_assert_max_num_queries
) -> None:
    rows = "".join(f"Person {n},p{n}\n" for n in range(5000))

    with django_assert_max_num_queries(30):
        file = upload(admin_client, path_to, "Name,Secure address\n" + rows)

    assert len(file.rows) == 5000


def test_addresses_that_are_no_persons_are_taken_too(
    admin_client: Client, path_to: Path, listing: Mailbox, duty: DistributionList
) -> None:
    rows = "A,listing\nB,duty\nC,duty-bounces\nD,free\n"

    file = upload(admin_client, path_to, "Name,Secure address\n" + rows)

    assert [line for line, _ in file.faults] == [2, 3, 4]
    assert all("already in use" in sentence for _, sentence in file.faults)
    assert [row["name"] for row in file.rows] == ["D"]


def test_file_says_who_stays_out_of_the_directory(
    admin_client: Client, path_to: Path, alice: Person
) -> None:
    head = "\n,,\nName,Secure address,Ex-directory\n"
    file = upload(admin_client, path_to, head + "A,a,YES\nB,b,no\nC,c,\nD,d,perhaps\n")
    page = admin_client.get(path_to(f"people/file/{file.pk}/")).content.decode()

    admin_client.post(path_to(f"people/file/{file.pk}/start/"))
    jobs.run_queued()

    assert page.count("Not in the directory") == 1
    assert file.faults == [[7, "Write yes or no under “Ex-directory”."]]
    added = Person.objects.exclude(pk=alice.pk).values_list("name", "is_ex_directory")
    assert set(added) == {("A", True), ("B", False), ("C", False)}


def test_people_are_added_by_a_job_and_get_their_links(
    admin_client: Client, path_to: Path, alice: Person
) -> None:
    file = upload(admin_client, path_to, HEAD + JO, sends_links="on")

    admin_client.post(path_to(f"people/file/{file.pk}/start/"))
    admin_client.post(path_to(f"people/file/{file.pk}/start/"))
    jobs.run_queued()

    jo = Person.objects.get(address="jo@northfield.secure.example")
    assert (jo.phone, jo.job_title) == ("+44 113 496 0000", "Clerk")
    assert [m.to for m in mail.outbox] == [["jo@mail.example"]]
    file.refresh_from_db()
    assert (file.status, file.added_count) == ("done", 1)
    assert (
        Entry.objects.filter(event="person.added", by_name=alice.address).count() == 1
    )
    page = admin_client.get(path_to(f"people/file/{file.pk}/")).content.decode()
    assert "1 person has been added" in page


def test_job_that_was_killed_goes_on_where_it_was(
    admin_client: Client,
    path_to: Path,
    northfield: Organisation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importer, "PEOPLE_AT_ONCE", 1)
    file = upload(admin_client, path_to, HEAD + JO + JO.replace("jo@n", "ann@n"))
    PeopleFile.objects.update(status="loading")
    importer._add_next(file.pk, file.rows)  # and the worker dies

    importer.run(file.pk)
    importer.run(file.pk)

    assert northfield.people.count() == 3
    file.refresh_from_db()
    assert (file.done_count, file.added_count) == (2, 2)


@pytest.fixture(autouse=True)
def _one_slice_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "SECONDS_AT_ONCE", 0.0)


@pytest.mark.parametrize(
    ("age", "rests"), [(None, [3.0, 3.0]), (1, [24.0, 24.0]), (60, [3.0, 3.0])]
)
def test_rests_are_longer_while_mail_flows(
    admin_client: Client,
    path_to: Path,
    monkeypatch: pytest.MonkeyPatch,
    age: int | None,
    rests: list[float],
) -> None:
    monkeypatch.setattr(importer, "PEOPLE_AT_ONCE", 1)
    monkeypatch.setattr(importer, "SECONDS_AT_ONCE", 60.0)
    rested: list[float] = []
    steps = itertools.count(step=3.0)
    stopwatch = SimpleNamespace(
        perf_counter=lambda: next(steps), sleep=rested.append, monotonic=time.monotonic
    )
    monkeypatch.setattr(importer, "time", stopwatch)
    if age is not None:
        at = clock.now() - timedelta(seconds=age)
        Content.objects.create(size=0, header=b"", body=b"", created_at=at)
    file = upload(admin_client, path_to, many(3))
    PeopleFile.objects.update(status="loading")

    assert not importer.run(file.pk)

    assert rested == rests


def many(number: int) -> str:
    return "Name,Secure address,Everyday address\n" + "".join(
        f"Person {n},p{n},p{n}@mail.example\n" for n in range(number)
    )


def test_many_are_added_a_few_at_a_time_and_the_page_says_how_far_it_is(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    file = upload(admin_client, path_to, many(60), sends_links="on")
    before = northfield.people.count()
    admin_client.post(path_to(f"people/file/{file.pk}/start/"))

    assert worker.run_next(Lane.LONG)

    page = admin_client.get(path_to(f"people/file/{file.pk}/")).content.decode()
    assert f"{importer.PEOPLE_AT_ONCE} of 60 done" in page
    assert "the import continues" in page
    assert northfield.people.count() == before + importer.PEOPLE_AT_ONCE
    jobs.run_queued()
    file.refresh_from_db()
    assert (file.status, file.added_count) == ("done", 60)
    assert len(mail.outbox) == 60


def test_another_import_and_its_letters_have_their_turn_in_between(
    admin_client: Client, path_to: Path, northfield: Organisation, bob: Person
) -> None:
    first = upload(admin_client, path_to, many(60))
    PeopleFile.objects.update(name="first")
    file = SimpleUploadedFile("people.csv", b"Name,Secure address\nZoe,zoe\n")
    admin_client.post(path_to("people/file/"), {"file": file})
    second = PeopleFile.objects.exclude(pk=first.pk).get()
    for one in (first, second):
        admin_client.post(path_to(f"people/file/{one.pk}/start/"))
    invite(bob)

    # One slice of the first file, and then the second file, which was uploaded before
    # the next slice.
    assert worker.run_next(Lane.LONG)
    assert worker.run_next(Lane.LONG)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.done_count == importer.PEOPLE_AT_ONCE
    assert second.status == "done"
    assert worker.run_next(Lane.QUICK)
    assert not worker.run_next(Lane.QUICK)


def test_a_slice_that_is_run_twice_adds_nobody_twice(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    file = upload(admin_client, path_to, many(30), sends_links="on")
    before = northfield.people.count()
    admin_client.post(path_to(f"people/file/{file.pk}/start/"))

    for _ in range(5):
        tasks.run(file.pk)
    jobs.run_queued()

    file.refresh_from_db()
    assert (file.status, file.added_count) == ("done", 30)
    assert northfield.people.count() == before + 30
    assert len(mail.outbox) == 30


def test_an_import_that_stopped_is_started_again_by_its_administrator(
    admin_client: Client, path_to: Path
) -> None:
    file = upload(admin_client, path_to, many(30))
    admin_client.post(path_to(f"people/file/{file.pk}/start/"))
    worker.run_next(Lane.LONG)
    OrmQ.objects.all().delete()  # given up, or lost
    admin_client.post(path_to(f"people/file/{file.pk}/start/"))
    assert not OrmQ.objects.exists()
    long_ago = clock.now() - timedelta(minutes=5)
    PeopleFile.objects.update(moved_at=long_ago)

    page = admin_client.get(path_to(f"people/file/{file.pk}/")).content.decode()
    admin_client.post(path_to(f"people/file/{file.pk}/start/"))
    admin_client.post(path_to(f"people/file/{file.pk}/start/"))

    assert "Continue adding people" in page
    assert OrmQ.objects.count() == 1
    assert Entry.objects.filter(event="people_file.resumed").count() == 1
    jobs.run_queued()
    file.refresh_from_db()
    assert (file.status, file.added_count) == ("done", 30)


def test_row_that_fails_meanwhile_is_told_and_the_rest_goes_on(
    admin_client: Client, path_to: Path, northfield: Organisation
) -> None:
    file = upload(admin_client, path_to, HEAD + JO + JO.replace("jo@n", "ann@n"))
    northfield.mailboxes.create(
        address="jo@northfield.secure.example", name="Taken", kind="group"
    )
    PeopleFile.objects.update(status="loading")

    importer.run(file.pk)

    file.refresh_from_db()
    assert file.added_count == 1
    assert "already in use" in file.faults[0][1]


@pytest.mark.parametrize(
    "raw",
    [
        ("﻿" + HEAD + JO).encode(),
        (HEAD + JO).encode("utf-16"),
        (HEAD + JO).replace("Jo Field", "Zoë Field").encode("cp1252"),
        (HEAD + JO).replace(",", ";").encode(),
        (HEAD + JO).replace(",", "\t").encode(),
        (HEAD + JO).replace("\n", "\r\n").encode(),
        (b"email,full_name\njo,Jo\n"),
    ],
    ids=["bom", "utf-16", "cp1252", "semicolons", "tabs", "crlf", "other headings"],
)
def test_file_is_read_however_it_was_saved(
    admin_client: Client, path_to: Path, raw: bytes
) -> None:
    [row] = upload(admin_client, path_to, raw).rows

    assert row["address"] == "jo@northfield.secure.example"
    assert row["name"] in ("Jo Field", "Zoë Field", "Jo")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b"  \n \n", "The file is empty"),
        (b",", "The file is empty"),
        (b"Name,Town\nJo,Leeds\n", "no column"),
        (b"Name,Email,Address\nJo,jo,jo\n", "mean the same"),
        pytest.param(zipped(b"<workbook/>"), "not a CSV file", id="spreadsheet"),
        (HEAD.encode() + b"x,y\n" * 5001, "more than 5,000"),
        (b"x" * 1024 * 1024 + b"x", "smaller than 1 MB"),
        (b"\xff\xfe\x00", "no column"),
        (
            b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
            "virus scanner found",
        ),
    ],
)
def test_file_that_cannot_be_used_says_why(
    admin_client: Client, path_to: Path, raw: bytes, says: str
) -> None:
    file = SimpleUploadedFile("people.csv", raw)
    page = admin_client.post(path_to("people/file/"), {"file": file})

    assert says in page.content.decode()
    assert not PeopleFile.objects.exists()


@given(st.binary(max_size=2000))
def test_reading_ends_in_rows_or_a_sentence(raw: bytes) -> None:
    try:
        rows = csv_reader.read(raw)
    except PolicyError as refusal:
        assert str(refusal).endswith(".")
    else:
        assert all("\n" not in cell for row in rows for cell in row.cells.values())


@given(st.text(max_size=40))
def test_a_cell_is_no_formula_and_reads_back(text: str) -> None:
    plain = " ".join(text.split())
    safe = safe_cell(plain)

    assert not safe.startswith(("=", "+", "-", "@"))
    assert csv_reader._cell(safe) in (plain, plain.removeprefix("'"))


def test_template_can_be_read_back(admin_client: Client, path_to: Path) -> None:
    response = admin_client.get(path_to("people/file/template.csv"))

    [row] = csv_reader.read(response.content)
    assert row.cells["address"] == "jo@northfield.secure.example"
