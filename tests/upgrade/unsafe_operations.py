"""Finds operations of migrations that the version before might not survive.

While an upgrade is under way, processes of the version before work on the new schema.
They read and write the columns that they know, name no new one, and lock what they
always locked.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

NEEDS_A_REASON = (
    operations.RemoveField,
    operations.RenameField,
    operations.DeleteModel,
    operations.AddConstraint,
    operations.AlterUniqueTogether,
    operations.RunSQL,
    operations.RunPython,
    operations.SeparateDatabaseAndState,
)
MOVES_A_TABLE = (operations.RenameModel, operations.AlterModelTable)


def found_in(migration: Migration, before: ProjectState) -> Iterator[str]:
    """Yields each unsafe operation as `app.migration: operation`; changes `before`.

    `before` is the state that the migration starts from.
    """
    made: set[str] = set()
    app = migration.app_label
    for operation in migration.operations:
        after = before.clone()
        operation.state_forwards(app, after)
        if isinstance(operation, operations.CreateModel):
            made.add(operation.name_lower)
        if _of(operation) not in made and _is_unsafe(operation, app, before, after):
            yield f"{app}.{migration.name}: {_said(operation)}"
        operation.state_forwards(app, before)


def _of(operation: Operation) -> str:
    """Returns the model of an operation, in lower case."""
    return str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()


def _said(operation: Operation) -> str:
    parts = [type(operation).__name__]
    if model := getattr(operation, "model_name", ""):
        parts.append(model.lower())
    if name := getattr(operation, "old_name", getattr(operation, "name", "")):
        parts.append(name.lower())
    return " ".join(parts)


def _is_unsafe(
    operation: Operation, app: str, before: ProjectState, after: ProjectState
) -> bool:
    if isinstance(operation, NEEDS_A_REASON):
        return True
    if isinstance(operation, MOVES_A_TABLE):
        return _tables(before, app) != _tables(after, app)
    if isinstance(operation, operations.AddField):
        return _must_be_written(operation.field)
    if isinstance(operation, operations.AlterField):
        model = before.models[app, operation.model_name_lower]
        return _is_narrowed(model.fields[operation.name_lower], operation.field)
    return False


def _tables(state: ProjectState, app: str) -> set[str]:
    models_ = (model for (label, _), model in state.models.items() if label == app)
    return {_table(model) for model in models_}


def _table(model: ModelState) -> str:
    return str(model.options.get("db_table") or f"{model.app_label}_{model.name_lower}")


def _must_be_written(field: models.Field) -> bool:
    """Whether an INSERT that does not name the column fails."""
    is_column = not isinstance(field, models.ManyToManyField)
    return is_column and not field.null and not field.has_db_default()


def _is_narrowed(old: models.Field, new: models.Field) -> bool:
    """Whether a value that the old column took does not fit the new one."""
    if (new.unique and not old.unique) or (old.null and _must_be_written(new)):
        return True
    if _column(old) != _column(new):
        return True
    return (new.max_length or 0) < (old.max_length or 0)


def _column(field: models.Field) -> tuple[str, str]:
    """Returns the kind of the column, as near as is known without a database."""
    if isinstance(field, models.ForeignKey):
        return "key", str(field.remote_field.model).lower()
    return field.get_internal_type(), field.db_column or ""
