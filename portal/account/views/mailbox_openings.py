"""The page that lists who else has opened a person's mailboxes."""

from __future__ import annotations

from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from engine.registry import mailbox_openings
from engine.registry.models import Person
from engine.registry.permissions import Permission
from engine.registry.permissions.view_guards import requires
from portal.ui.pagination import paginate


@requires(Permission.USE_MAIL)
@require_safe
def index(request: HttpRequest, mailbox_id: int | None = None) -> HttpResponse:
    """Lists openings by others of one mailbox, by default the person's own.

    Links to the pages of the group mailboxes that the person may read.
    """
    person = cast(Person, request.user)
    mailboxes = list(mailbox_openings.visible_to(person).order_by("name", "pk"))
    chosen = next(
        (
            one
            for one in mailboxes
            if (
                one.owner_id == person.pk
                if mailbox_id is None
                else one.pk == mailbox_id
            )
        ),
        None,
    )
    if chosen is None and mailbox_id is not None:
        raise Http404
    context = {
        "mailbox": chosen,
        "is_own": chosen is not None and chosen.owner_id == person.pk,
        "others": [one for one in mailboxes if one != chosen],
        "page": chosen
        and paginate(
            request, mailbox_openings.by_others(chosen, person), descending=True
        ),
    }
    return render(request, "account/openings.html", context)
