"""Migration operation that adds a column to a large table while mail flows."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.migrations.state import ProjectState


class AddFieldInPlace(migrations.AddField):
    """Adds a column with a constant database default, without writing the table again.

    For SQLite, where Django's own operation copies the table and with it loses the
    highest id that it ever had: POP3 identifies messages by ids that never return.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Any,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        quote = schema_editor.quote_name
        default = schema_editor.quote_value(field._db_default_expression.value)
        schema_editor.execute(
            f"ALTER TABLE {quote(model._meta.db_table)} ADD COLUMN {quote(field.column)}"
            f" {field.db_type(schema_editor.connection)} DEFAULT {default} NOT NULL"
        )
