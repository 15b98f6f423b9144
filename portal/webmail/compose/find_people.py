"""The page that finds recipients and adds them to a draft."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.webmail import recipient_input
from portal.webmail.access import requires_mail
from portal.webmail.compose.compose_request import ComposeRequest, load_compose_request
from portal.webmail.contacts import suggestions
from portal.webmail.drafts import draft_store
from portal.webmail.drafts.draft import RECIPIENT_FIELDS, Draft
from portal.webmail.sidebar import sidebar

RESULTS = 30


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def find_people(request: HttpRequest, mailbox_id: int, token: UUID) -> HttpResponse:
    """Searches contacts, groups and the directory; adds selected people to a field."""
    compose_request = load_compose_request(request, mailbox_id, token)
    chosen = list(dict.fromkeys(request.POST.getlist("chosen")))[
        : recipient_input.LIMIT
    ]
    if request.POST.get("do") == "add":
        return _add(request, compose_request, chosen)
    text = request.POST.get("q", "")[:100].strip()
    found = suggestions.suggest(
        text, person=compose_request.mailboxes.person, limit=RESULTS
    )
    context = {
        "sidebar": sidebar(compose_request.mailboxes, compose_request.access),
        "back": compose_request.draft_url(compose_request.kept),
        "q": text,
        "chosen": chosen,
        "found": [one for one in found if one.typed not in chosen],
        "fields": {name: name.title() for name in RECIPIENT_FIELDS},
    }
    return render(request, "webmail/compose/find_people.html", context)


def _add(
    request: HttpRequest, compose_request: ComposeRequest, chosen: list[str]
) -> HttpResponse:
    field = request.POST.get("field", "to")
    kept = compose_request.kept
    typed = {name: getattr(kept, name) for name in RECIPIENT_FIELDS}
    if compose_request.home and chosen and field in typed:
        found = recipient_input.parse_recipients(", ".join(chosen)).recipients
        typed[field] = ", ".join(
            filter(
                None,
                (typed[field].strip(" ,;"), recipient_input.format_recipients(found)),
            )
        )[:20_000]
        draft_store.save(
            _with(kept, typed),
            mailbox=compose_request.home,
            sender=compose_request.form.sender_mailbox,
        )
    return redirect(f"{compose_request.draft_url(kept)}?checked#recipients")


def _with(draft: Draft, typed: dict[str, str]) -> Draft:
    return replace(draft, to=typed["to"], cc=typed["cc"], bcc=typed["bcc"])
