"""Finding recipients on a page of their own, and going back to the message with them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.webmail import recipient_input
from portal.webmail.access import uses_mail
from portal.webmail.compose.compose_request import Writing, begin
from portal.webmail.contacts import suggestions
from portal.webmail.drafts import draft_store
from portal.webmail.drafts.draft import TYPED, Draft
from portal.webmail.sidebar import sidebar

RESULTS = 30


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def find_people(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Search contacts, groups and the directory; tick people; add them to a field."""
    writing = begin(request, mailbox_id, token)
    chosen = list(dict.fromkeys(request.POST.getlist("chosen")))[
        : recipient_input.LIMIT
    ]
    if request.POST.get("do") == "add":
        return _add(request, writing, chosen)
    text = request.POST.get("q", "")[:100].strip()
    found = suggestions.suggest(text, person=writing.desks.person, limit=RESULTS)
    context = {
        "sidebar": sidebar(writing.desks, writing.desk),
        "back": writing.door(writing.kept),
        "q": text,
        "chosen": chosen,
        "found": [one for one in found if one.typed not in chosen],
        "fields": {name: name.title() for name in TYPED},
    }
    return render(request, "webmail/compose/find_people.html", context)


def _add(request: HttpRequest, writing: Writing, chosen: list[str]) -> HttpResponse:
    field = request.POST.get("field", "to")
    kept = writing.kept
    typed = {name: getattr(kept, name) for name in TYPED}
    if writing.home and chosen and field in typed:
        found = recipient_input.read(", ".join(chosen)).recipients
        typed[field] = ", ".join(
            filter(None, (typed[field].strip(" ,;"), recipient_input.typed(found)))
        )[:20_000]
        draft_store.save(
            _with(kept, typed), mailbox=writing.home, sender=writing.form.desk.mailbox
        )
    return redirect(f"{writing.door(kept)}?checked#recipients")


def _with(draft: Draft, typed: dict[str, str]) -> Draft:
    return replace(draft, to=typed["to"], cc=typed["cc"], bcc=typed["bcc"])
