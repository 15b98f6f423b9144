"""What a guide's page shows to this reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from engine.registry.models import AccountType, Person
from portal.guides.choices import ACCOUNT_OF_TYPE, Account
from portal.guides.rendering import outline, pictures

if TYPE_CHECKING:
    from portal.guides.models import Guide

EVERY = "all"


def account_of(request: HttpRequest) -> str:
    """Whose version to show: by the address of the page, else by who is signed in.

    Empty is everybody's. The choice travels in links, so nothing is kept of it.
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
    """What links to other guides carry on: `?account=…`, or nothing."""
    asked = request.GET.get("account", "")
    return f"?account={asked}" if asked in Account or asked == EVERY else ""


def context(request: HttpRequest, guide: Guide) -> dict[str, Any]:
    told_apart = outline.accounts_in(guide.body)
    account = account_of(request)
    if account not in told_apart:
        account = ""
    parts = outline.Outliner(pictures.on_page, account).parts(guide.body)
    return {
        "parts": parts,
        "contents": [part for part in outline.contents(parts) if not part.is_left_out],
        "accounts": told_apart,
        "account_choices": [(each.value, each.label) for each in told_apart],
        "account": account,
        "account_query": query_of(request),
        # A preview has them in memory, where only this much can be asked.
        "related": guide.related.filter(live=True),
    }
