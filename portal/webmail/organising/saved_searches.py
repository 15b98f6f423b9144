"""Searches that a person keeps in the sidebar."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage.search.query_parser import QueryError, parse
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.models import SavedSearch
from portal.webmail.sidebar import sidebar


@transaction.atomic
def save(person: Person, mailbox: Mailbox, *, name: str, query: str) -> SavedSearch:
    """Keeps a search, in place of one of the same name. Raises PolicyError."""
    name, query = " ".join(name.split()), query.strip()
    if not query:
        raise PolicyError("Search for something first.")
    try:
        parse(query)
    except QueryError as refusal:
        raise PolicyError(str(refusal)) from refusal
    if not name or not name.isprintable() or len(name) > SavedSearch.MAX_NAME:
        raise PolicyError(
            f"Enter a name of at most {SavedSearch.MAX_NAME} characters for the search."
        )
    # Locks the person's row, so that two requests cannot both pass the check of the number.
    Person.objects.select_for_update().get(pk=person.pk)
    others = SavedSearch.objects.filter(person=person, mailbox=mailbox)
    if others.exclude(name=name).count() >= SavedSearch.MAX_SEARCHES:
        raise PolicyError(
            f"You can keep {SavedSearch.MAX_SEARCHES} searches of a mailbox. "
            "Delete one first."
        )
    return SavedSearch.objects.update_or_create(
        person=person, mailbox=mailbox, name=name, defaults={"query": query}
    )[0]


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Lists the person's searches of a mailbox; on POST, keeps one."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    if request.method == "POST":
        query = request.POST.get("q", "")[:500]
        name = request.POST.get("name", "")
        try:
            save(mailboxes.person, access.mailbox, name=name, query=query)
        except PolicyError as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, "Search saved. You find it below the folders.")
        place = reverse("webmail:search", args=[mailbox_id])
        return redirect(f"{place}?{urlencode({'q': query})}")
    context = {
        "sidebar": sidebar(mailboxes, access),
        "access": access,
        "searches": list(SavedSearch.objects.of(mailboxes.person, access.mailbox)),
    }
    return render(request, "webmail/organising/saved_searches.html", context)


@requires_mail
@require_POST
def delete(request: HttpRequest, mailbox_id: int, search_id: int) -> HttpResponse:
    """Deletes a search that the person keeps."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    found = SavedSearch.objects.filter(person=mailboxes.person, mailbox=access.mailbox)
    get_object_or_404(found, pk=search_id).delete()
    messages.success(request, "Search deleted.")
    return redirect("webmail:saved_searches", mailbox_id=access.mailbox.pk)
