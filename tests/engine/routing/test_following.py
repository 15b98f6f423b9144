"""Following the change log leads to the same snapshot as loading everything."""

from __future__ import annotations

import re
from itertools import product

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.registry import change_log
from engine.registry.models import (
    Change,
    ChangeKind,
    Organisation,
    OrganisationStatus,
    Person,
)
from engine.registry.models.change import Logged
from engine.routing import rows
from engine.routing.follower import ChangeLog, Followed
from engine.routing.snapshot import Routes
from tests import factories
from tests.engine.routing import steps

pytestmark = pytest.mark.django_db


def log(**sizes: int) -> ChangeLog:
    return ChangeLog(pause=lambda: None, **sizes)


def read_all() -> Routes:
    return rows.read_all(lambda: None)


def follow(source: ChangeLog, followed: Followed) -> Followed:
    """Follows the log to its end, without loading."""
    while True:
        newer = source.follow(followed)
        assert newer is not None, "it would be loaded whole"
        if newer is followed:
            return followed
        followed = newer


STEP = st.tuples(
    st.sampled_from(sorted(steps.STEPS)), st.integers(0, 7), st.integers(0, 7)
)


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    # Shrinking examples would take minutes with a database.
    phases=(Phase.explicit, Phase.generate),
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    taken=st.lists(st.tuples(STEP, st.booleans()), min_size=5, max_size=25),
    slice_size=st.integers(1, 5),
    page=st.integers(1, 7),
)
def test_following_comes_to_the_same_as_loading(
    db: None,
    taken: list[tuple[tuple[str, int, int], bool]],
    slice_size: int,
    page: int,
) -> None:
    source = log(slice_size=slice_size, page=page, too_far=10_000)
    with transaction.atomic():
        steps.begin()
        followed = source.load()
        for (name, first, second), follows in taken:
            steps.take(name, first, second)
            if follows:
                followed = follow(source, followed)
        followed = follow(source, followed)

        assert followed.routes == read_all()
        transaction.set_rollback(True)


@pytest.mark.any_database
@pytest.mark.parametrize("name", sorted(steps.STEPS))
def test_each_step_is_followed(name: str) -> None:
    steps.begin()
    for number in range(3):
        for prepared in (
            "grant",
            "give_allowance",
            "add_domain",
            "add_poster",
            "give_role",
            "stop_sending",
        ):
            steps.take(prepared, number, number + 1)
        followed = log().load()
        steps.take(name, number, number + 1)

        assert follow(log(), followed).routes == read_all()


@pytest.mark.slow
def test_no_step_is_always_refused() -> None:
    """Otherwise it would prove nothing."""
    steps.begin()
    for prepared in (
        "grant",
        "give_allowance",
        "add_alias",
        "add_poster",
        "add_domain",
        "give_role",
        "stop_sending",
    ):
        steps.take(prepared, 1, 1)

    assert {name for name in steps.STEPS if not _changes(name)} == {"undo"}


def _changes(name: str) -> bool:
    before = change_log.end()
    for first, second in product(range(5), range(5)):
        with transaction.atomic():
            steps.take(name, first, second)
            has_changed = change_log.end() != before
            transaction.set_rollback(True)
        if has_changed:
            return True
    return False


def test_what_is_read_is_logged() -> None:
    """Changes to every column that a load reads are logged."""
    with CaptureQueriesContext(connection) as queries:
        read_all()

    read: dict[str, set[str]] = {}
    for query in queries:
        for table, column in re.findall(r'"(\w+)"\."(\w+)"', query["sql"]):
            read.setdefault(table, set()).add(column)
    by_table = {model._meta.db_table: model for model in apps.get_models()}
    assert len(read) == 14
    for table, columns in read.items():
        model = by_table[table]
        logged: Logged = vars(model)["logged"]
        known = {model._meta.get_field(name).column for name in logged.fields}
        assert columns - {"id"} - UNUSED.get(table, set()) <= known, table


# Read with the row, but not part of any snapshot.
UNUSED = {
    "registry_connection": {"name", "created_at"},
    "registry_distributionlist": {"is_published", "created_at", "words"},
}


def test_nothing_is_written_past_the_log() -> None:
    """Deletes by the database itself, or a foreign key's SET NULL, send no signal."""
    for model in apps.get_models():
        if "logged" not in vars(model):
            continue
        assert isinstance(model._default_manager.all(), models.QuerySet)
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey):
                assert field.remote_field.on_delete in (models.PROTECT, models.CASCADE)


def test_a_suspension_of_many_reads_one_row() -> None:
    organisation = factories.make_organisation()
    Person.objects.bulk_create(
        Person(address=f"p{n}@x.example", organisation=organisation) for n in range(300)
    )
    followed = log().load()
    organisation.status = OrganisationStatus.SUSPENDED
    organisation.save()

    with CaptureQueriesContext(connection) as queries:
        newer = follow(log(), followed)

    # The log twice; the organisation, its administrators and its stops once.
    assert len(queries) == 5
    assert newer.routes.people is followed.routes.people
    assert newer.routes.address_of(Person.objects.earliest("pk").pk) is None


def test_an_import_of_5000_people_is_followed_in_slices() -> None:
    organisation = factories.make_organisation()
    followed = log().load()
    people = (
        Person(address=f"p{n}@x.example", organisation=organisation)
        for n in range(5000)
    )
    Person.objects.bulk_create(people, batch_size=500)
    pauses: list[int] = []
    source = ChangeLog(pause=lambda: pauses.append(1))

    followed = follow(source, followed)

    assert len(followed.routes.people.rows) == 5000
    assert followed.routes == read_all()
    assert len(pauses) == 100


def test_what_changes_no_route_is_another_snapshot_all_the_same() -> None:
    followed = log().load()
    Change.objects.record(ChangeKind.OTHER, [0])

    newer = follow(log(), followed)

    assert newer.routes == followed.routes
    assert newer.routes is not followed.routes


def test_far_behind_is_loaded_whole() -> None:
    followed = log().load()
    Change.objects.record(ChangeKind.PERSON, range(1, 30))

    assert log(page=5, too_far=20).follow(followed) is None
    assert log(page=5, too_far=40).follow(followed) is not None


def test_a_purged_log_is_loaded_whole() -> None:
    followed = log().load()
    for name in ("one", "two"):
        factories.make_organisation(name=name)
    Change.objects.order_by("sequence").first().delete()

    assert log().follow(followed) is None


def test_history_that_was_replaced_is_loaded_whole() -> None:
    """As after restoring a backup: the same sequence, but another change."""
    with transaction.atomic():
        factories.make_organisation(name="Undone")
        followed = log().load()
        transaction.set_rollback(True)
    assert log().follow(followed) is None

    made = factories.make_organisation(name="Done")

    assert change_log.end().sequence == followed.position.sequence
    assert log().follow(followed) is None
    assert set(log().load().routes.organisations) >= {made.pk}
    assert not Organisation.objects.filter(name="Undone").exists()
