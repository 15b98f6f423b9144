"""Finds the views that list rows, among all that the site's resolver knows.

A view lists where it is a class made for it, where the API calls it `list`, or where its
code, or a function of ours that it calls, uses one of those that cut rows into pages. A
view that only slices a query is not found.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from django.core.paginator import Paginator
from django.urls import URLPattern, URLResolver, get_resolver
from django.views.generic.list import MultipleObjectMixin

from api.framework import pagination as api_pagination
from engine.registry import directory
from engine.storage.search.find import find
from portal.console.page import numbered_page
from portal.organisation.mail import trace_search
from portal.ui.pagination import paginate
from portal.webmail.contacts import address_book
from portal.webmail.mailbox import message_list

OURS = ("engine.", "onboarding.", "api.", "portal.")
CUTS = (
    Paginator,
    address_book.contact_page,
    api_pagination.SignedCursorPagination,
    directory.search,
    find,
    message_list.load_page,
    numbered_page,
    paginate,
    trace_search.find,
)


def routes() -> set[str]:
    """Returns the routes of all list views, as urls.py spells them."""
    return {route for route, view in _views(get_resolver()) if lists(view)}


def lists(view: Any) -> bool:
    """Returns whether the view lists rows."""
    if actions := getattr(view, "actions", None):
        return bool(actions.get("get") == "list")
    made_from = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if isinstance(made_from, type):
        return issubclass(made_from, MultipleObjectMixin) or _cuts_somewhere(made_from)
    return _cuts(inspect.unwrap(view), set())


def _views(
    resolver: URLResolver, prefix: str = ""
) -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def _cuts_somewhere(made_from: type) -> bool:
    own = [one for one in made_from.__mro__ if one.__module__.startswith(OURS)]
    methods = [value for one in own for value in vars(one).values()]
    return any(_cuts(inspect.unwrap(one), set()) for one in methods if callable(one))


def _cuts(function: Any, seen: set[Any]) -> bool:
    """Follows the names in a function's code, through functions of ours."""
    if not isinstance(function, FunctionType) or function in seen:
        return False
    seen.add(function)
    closed = [cell.cell_contents for cell in function.__closure__ or ()]
    for used in (*_used(function), *closed):
        if any(used is cut for cut in CUTS):
            return True
        follows = isinstance(used, FunctionType) and used.__module__.startswith(OURS)
        if follows and _cuts(inspect.unwrap(used), seen):
            return True
    return False


def _used(function: FunctionType) -> Iterator[Any]:
    names = set(_names(function.__code__))
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        yield value
        if inspect.ismodule(value):
            yield from (vars(value)[one] for one in names & vars(value).keys())


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
