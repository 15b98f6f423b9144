"""No migration stops the version before, unless it is listed here with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from tests.upgrade import unsafe_operations

OURS = ("engine", "onboarding", "api", "portal")
# Where the first version that anybody served from stood, 7379faa. What its database had
# already is not judged.
FIRST_SERVED = {
    "api": 2,
    "antivirus": 1,
    "audit": 1,
    "queue": 2,
    "registry": 9,
    "storage": 5,
    "trace": 1,
    "onboarding": 3,
    "connecting": 1,
    "guides": 1,
    "helpdesk": 1,
    "home": 1,
    "organisation": 1,
    "webmail": 1,
}
WEB = "only the website and the worker write it, and they are stopped for this upgrade"
BOTH_NAMES = "on PostgreSQL a view keeps the old name"
LISTED = {
    "queue.0007_index_what_is_listed: RunPython": ("drops two indexes, in a moment"),
    "registry.0010_recovery: RunPython": "fills a new column",
    "registry.0012_sessions_and_networks: AddField apppassword known_networks": WEB,
    "registry.0012_sessions_and_networks: AddField connectioncredential known_networks": (
        WEB
    ),
    "registry.0012_sessions_and_networks: AddField person session_generation": WEB,
    "registry.0013_secret_keys: AddField apikey keyed_by": WEB,
    "registry.0013_secret_keys: AddField apppassword keyed_by": WEB,
    "registry.0013_secret_keys: AddField connectioncredential keyed_by": WEB,
    "registry.0013_secret_keys: RenameField webhookendpoint seed": WEB,
    "registry.0013_secret_keys: RenameField webhookendpoint earlier_seed": WEB,
    "registry.0013_secret_keys: RunPython": WEB,
    "registry.0014_change_log: RenameModel stamp": BOTH_NAMES,
    "registry.0014_change_log: RemoveField changelogend version": BOTH_NAMES,
    "registry.0014_change_log: AddField changelogend sequence": BOTH_NAMES,
    "registry.0014_change_log: RunPython": "creates that view",
    "registry.0019_fold_names: RunPython": (
        "makes the index of names again on SQLite, which one process at a time has"
    ),
    "storage.0009_export_progress: AddField export moved_at": WEB,
    "storage.0010_rename_errand_to_automatic_mail: RenameModel errand": BOTH_NAMES,
    "storage.0010_rename_errand_to_automatic_mail: RunPython": "creates that view",
    "storage.0013_search_whole_messages: RunPython": (
        "adds a table, and makes the index again on SQLite, which one process has"
    ),
    "trace.0003_drop_pattern_indexes: RunPython": "drops two indexes, in a moment",
    "web_sessions.0001_sessions_and_sign_ins: RunSQL": WEB,
    "web_sessions.0002_failed_codes: AddField signin is_code": WEB,
}


def own_migrations() -> Iterator[tuple[migrations.Migration, ProjectState]]:
    """Yields each of our migrations with the state that it starts from, in order."""
    loader = MigrationLoader(None)
    state, done = ProjectState(), set()
    for leaf in loader.graph.leaf_nodes():
        for key in loader.graph.forwards_plan(leaf):
            migration = loader.disk_migrations[key]
            if key not in done and migration.__module__.startswith(OURS):
                yield migration, state.clone()
            if key not in done:
                migration.mutate_state(state, preserve=False)
                done.add(key)


def is_judged(migration: migrations.Migration) -> bool:
    """Whether it was written after the first version that anybody served from."""
    return int(migration.name[:4]) > FIRST_SERVED.get(migration.app_label, 0)


def test_no_migration_stops_the_version_before() -> None:
    found = [
        line
        for migration, before in own_migrations()
        if is_judged(migration)
        for line in unsafe_operations.found_in(migration, before)
    ]

    assert sorted(set(found) - set(LISTED)) == [], (
        "Write it in two releases (deploy/README.md), or list it with the reason."
    )
    assert sorted(set(LISTED) - set(found)) == []


def judged(*operations: migrations.operations.base.Operation) -> list[str]:
    """Returns what is unsafe in a migration of a table with a name and a number."""
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20)),
        ("number", models.IntegerField(null=True)),
    ]
    before = ProjectState()
    before.add_model(ModelState("app", "Thing", fields))
    migration = migrations.Migration("0002_change", "app")
    migration.operations = list(operations)
    found = unsafe_operations.found_in(migration, before)
    return [line.removeprefix("app.0002_change: ") for line in found]


def char(**options: object) -> models.CharField:
    return models.CharField(**{"max_length": 20, **options})


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        (migrations.RemoveField("thing", "name"), "RemoveField thing name"),
        (migrations.RenameField("thing", "name", "title"), "RenameField thing name"),
        (migrations.RenameModel("Thing", "Object"), "RenameModel thing"),
        (migrations.DeleteModel("Thing"), "DeleteModel thing"),
        (migrations.AlterModelTable("thing", "other"), "AlterModelTable thing"),
        (migrations.AddField("thing", "more", char(default="")), "AddField thing more"),
        (
            migrations.AlterField("thing", "name", char(max_length=9)),
            "AlterField thing name",
        ),
        (
            migrations.AlterField("thing", "name", char(unique=True)),
            "AlterField thing name",
        ),
        (
            migrations.AlterField("thing", "number", models.IntegerField(default=0)),
            "AlterField thing number",
        ),
        (
            migrations.AlterField("thing", "number", char(null=True)),
            "AlterField thing number",
        ),
        (migrations.RunSQL("SELECT 1"), "RunSQL"),
    ],
)
def test_what_the_version_before_would_not_survive_is_found(
    operation: migrations.operations.base.Operation, line: str
) -> None:
    assert judged(operation) == [line]


def test_what_the_version_before_does_not_notice_is_allowed() -> None:
    made = migrations.CreateModel(
        "New", [("id", models.BigAutoField(primary_key=True))]
    )

    found = judged(
        made,
        migrations.AddField("new", "more", char(default="")),
        migrations.AddField("thing", "more", char(default="", db_default="")),
        migrations.AddField("thing", "time", models.DateTimeField(null=True)),
        migrations.AlterField("thing", "name", char(max_length=30, help_text="longer")),
        migrations.AlterModelTable("thing", "app_thing"),
        migrations.RenameModel("Thing", "Object"),
    )

    assert found == []
