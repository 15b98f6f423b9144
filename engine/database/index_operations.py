"""Migration operations that index a large table while mail flows.

On PostgreSQL an index is built beside the traffic: an ordinary CREATE INDEX blocks
writes until it is done. A migration with one of them sets `atomic = False`.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class AddIndexBesideTraffic(migrations.AddIndex):
    """Adds a model's index, concurrently on PostgreSQL."""

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        _drop_unfinished(schema_editor, self.index.name)
        schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]
        if self.index.contains_expressions:
            _count_expressions(schema_editor, model._meta.db_table)


class DropIndexOfField(migrations.AlterField):
    """Alters a field that is no longer indexed by itself; nothing else of it may change.

    Django's own operation has SQLite write the whole table again, which a migration that
    is not atomic must not do: if it is interrupted, the table may be gone.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Any,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        # Not those that the model names itself, such as a partial one of this column.
        named = {index.name for index in model._meta.indexes}
        for name in schema_editor._constraint_names(
            model, [column], index=True, exclude=named
        ):
            quoted = schema_editor.quote_name(name)
            schema_editor.execute(f"DROP INDEX {quoted}")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: Any,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        schema_editor.execute(schema_editor._create_index_sql(model, fields=[field]))


class AddTrigramIndex(Operation):
    """Indexes the parts of words in columns, for `icontains` (PostgreSQL).

    SQLite, which has no such index, is not for communities so large that it is missed.
    """

    atomic = False
    reversible = True
    condition = ""

    def __init__(self, table: str, *columns: str, name: str) -> None:
        self.table, self.columns, self.name = table, columns, name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Changes no model: Django knows of no index that one database lacks."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        _drop_unfinished(schema_editor, self.name)
        parts = ", ".join(f"{self.compared(one)} gin_trgm_ops" for one in self.columns)
        # Entries collect in a list that is merged into the index when it is full: a short
        # one, because the transaction that fills it waits for that.
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {self.name} ON {self.table} USING gin ({parts})"
            f" WITH (gin_pending_list_limit = 256){self.condition}"
        )
        _count_expressions(schema_editor, self.table)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.name}")

    def compared(self, column: str) -> str:
        """Returns what Django compares: UPPER(column::text) LIKE UPPER('%word%')."""
        return f"UPPER({column}::text)"

    def describe(self) -> str:
        return f"Index the parts of words in {self.table}"


class DropTrigramIndex(AddTrigramIndex):
    """Drops an index of the parts of words, which another one replaces."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        super().database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Drop the index {self.name}"


class AddWordsIndex(AddTrigramIndex):
    """Indexes the parts of words in a column of folded words (`engine.folding.columns`).

    Only of those rows that fulfil `where`.
    """

    def __init__(self, table: str, name: str, where: str = "") -> None:
        super().__init__(table, "words", name=name)
        self.condition = f" WHERE {where}" if where else ""

    def compared(self, column: str) -> str:
        return column


def _count_expressions(schema_editor: BaseDatabaseSchemaEditor, table: str) -> None:
    """Has the planner know what an index of expressions holds, which only ANALYZE counts.

    Until then it guesses, and read a million audit entries where 0.4 ms were enough.
    """
    schema_editor.execute(f"ANALYZE {table}")


def _drop_unfinished(schema_editor: BaseDatabaseSchemaEditor, name: str) -> None:
    """Drops what a migration left that was interrupted: an invalid index of that name."""
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
