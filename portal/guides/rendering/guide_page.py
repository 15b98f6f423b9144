"""The template context of a guide's page, for the reader's kind of account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from engine.registry.models import AccountType, Person
from portal.guides.choices import ACCOUNT_OF_TYPE, Account
from portal.guides.rendering import outline, pictures

EVERY = "all"


def account_of(request: HttpRequest) -> str:
    """Returns the kind of account to show, from the query string or the member.

    Empty shows every version. The choice is carried on in links, so that nothing is
    stored about the reader.
    """
    asked = request.GET.get("account", "")
    if asked in Account:
        return str(asked)
    if asked or not isinstance(request.user, Person):
        return ""
    organisation = request.user.organisation
    if organisation is None:
        return ""
    return ACCOUNT_OF_TYPE.get(AccountType(organisation.account_type), "")


def query_of(request: HttpRequest) -> str:
    """Returns the query string for links to other guides: `?account=…`, or nothing."""
    asked = request.GET.get("account", "")
    return f"?account={asked}" if asked in Account or asked == EVERY else ""


def context(
    request: HttpRequest, *, body: Iterable[Any], related: QuerySet[Any]
) -> dict[str, Any]:
    """Returns the context for a body and the guides related to it.

    It takes values and not a Guide, so that models can import this module.
    """
    blocks = list(body)
    accounts = outline.accounts_in(blocks)
    account = account_of(request)
    if account not in accounts:
        account = ""
    parts = outline.Outliner(pictures.on_page, account).parts(blocks)
    return {
        "parts": parts,
        "contents": [part for part in outline.contents(parts) if not part.is_left_out],
        "accounts": accounts,
        "account_choices": [(each.value, each.label) for each in accounts],
        "account": account,
        "account_query": query_of(request),
        "related": related,
    }
