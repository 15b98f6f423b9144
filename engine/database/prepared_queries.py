"""Queries of Django's that are compiled once, for what every page asks.

To compile a query takes longer than the database takes to run it: half of the processor
time of a page. The queryset is built with marks in place of values; the statement is kept,
and each call puts its own values where the marks are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

from engine.database import statements

M = TypeVar("M", bound=Model)

# The first of the integers that stand for values: an id of any column may be as large, and
# no constant of a query is.
FIRST_MARK = 2_100_000_000
# Forms kept of one query: by the number of its values and the database's kind.
KEPT = 64

Value = int | str


class PreparedQuery(Generic[M]):
    """A query for models, by values that are whole numbers or strings.

    `build` gets the values and returns the queryset. It may use each as a value to compare
    with, any number of times, and for nothing else: it is called with marks.
    """

    def __init__(self, build: Callable[..., QuerySet[M]]) -> None:
        self._build = build
        self._forms: dict[tuple[Any, ...], _Form] = {}

    def __call__(self, *values: Value) -> list[M]:
        """Returns the models that the query finds. Raises DatabaseError."""
        return list(self._form(values).models(values))

    def first(self, *values: Value) -> M | None:
        """Returns the first model that the query finds, or None."""
        return next(self._form(values).models(values), None)

    def _form(self, values: Sequence[Value]) -> _Form:
        key = (connection.vendor, *(isinstance(one, str) for one in values))
        form = self._forms.get(key)
        if form is None:
            marks = [_mark(place, like=value) for place, value in enumerate(values)]
            form = _compile(self._build(*marks), marks)
            if len(self._forms) < KEPT:
                self._forms[key] = form
        return form


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement with what makes models of its rows."""

    sql: str
    given: list[Any]
    places: dict[int, int]
    """Which value belongs at which place of those given."""
    model: type[Model]
    names: list[str]
    columns: slice
    related: list[Any]
    annotations: dict[str, int]
    converters: dict[int, tuple[list[Any], Any]] = field(default_factory=dict)

    def models(self, values: Sequence[Value]) -> Iterator[Any]:
        given = list(self.given)
        for place, which in self.places.items():
            # The driver is told the type of a number by Django's classes of it.
            given[place] = type(given[place])(values[which])
        for found in statements.fetch(self.sql, given):
            yield self._model(self._converted(found))

    def _converted(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self.converters:
            return row
        values = list(row)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return values

    def _model(self, row: Sequence[Any]) -> Model:
        found = self.model.from_db(connection.alias, self.names, row[self.columns])
        for one in self.related:
            one.populate(row, found)
        for name, place in self.annotations.items():
            setattr(found, name, row[place])
        return found


def _mark(place: int, *, like: Value) -> Value:
    number = FIRST_MARK + place
    return f"mark {number}" if isinstance(like, str) else number


def _compile(rows: QuerySet[Any], marks: Sequence[Value]) -> _Form:
    """Compiles a queryset as Django does before it runs one."""
    compiler = rows.query.clone().get_compiler(connection=connection)
    sql, given = compiler.as_sql()
    information = compiler.klass_info
    fields = information["select_fields"]
    columns = slice(fields[0], fields[-1] + 1)
    expressions = [column for column, *_ in compiler.select[: compiler.col_count]]
    which = {mark: place for place, mark in enumerate(marks)}
    return _Form(
        sql,
        list(given),
        {place: which[one] for place, one in enumerate(given) if one in which},
        information["model"],
        [column.target.attname for column, *_ in compiler.select[columns]],
        columns,
        # The types installed are of a later Django, which asks for one value more.
        get_related_populators(  # type: ignore[call-arg]
            information, compiler.select, connection.alias
        ),
        dict(compiler.annotation_col_map or {}),
        compiler.get_converters(expressions),
    )
