"""The address book as a file: in, with a look before anything changes, and out."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from engine.queue.notifications import upload_scan
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.webmail.access import desks_of, uses_mail
from portal.webmail.contacts import actions, address_book, csv_file, vcard
from portal.webmail.contacts.actions import Merged
from portal.webmail.contacts.contact_card import (
    PROBLEMS_SHOWN,
    Card,
    Cards,
    UnreadableFileError,
    text_of,
)
from portal.webmail.contacts.forms import ImportForm
from portal.webmail.sidebar import render_with_sidebar

# Seconds for which a file that was looked at waits for the word to import it.
PATIENCE = 30 * 60

EXPIRED = "Choose the file again: it was not imported within half an hour."


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def look(request: HttpRequest) -> HttpResponse:
    """Choose a file, and see what importing it would change."""
    person = desks_of(request).person
    posted = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if posted else ImportForm()
    if form.is_valid():
        try:
            found = _read(form.cleaned_data["file"].read(), person)
        except (PolicyError, UnreadableFileError) as error:
            form.add_error("file", str(error))
        else:
            return _looked_at(request, person, found)
    return render_with_sidebar(request, "webmail/contacts/import.html", {"form": form})


@uses_mail
@require_POST
def take(request: HttpRequest, token: str) -> HttpResponse:
    """Import the file that was looked at."""
    person = desks_of(request).person
    cards = _kept(person, token)
    if cards is None:
        messages.warning(request, EXPIRED)
        return redirect("webmail:import_contacts")
    try:
        done = actions.merge(person, cards)
    except PolicyError as error:
        messages.warning(request, str(error))
        return redirect("webmail:import_contacts")
    messages.success(request, _told(done))
    return redirect("webmail:contacts")


@uses_mail
@require_safe
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """The whole book as a file."""
    writers = {"csv": (csv_file.write, "text/csv"), "vcf": (vcard.write, "text/vcard")}
    if kind not in writers:
        raise Http404
    write, content_type = writers[kind]
    text = write(address_book.cards(desks_of(request).person))
    # Excel takes CSV for UTF-8 only where the file says so itself.
    mark = "\ufeff" if kind == "csv" else ""
    response = HttpResponse(mark + text, content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="contacts.{kind}"'
    return response


def _read(data: bytes, person: Person) -> Cards:
    """Scan and read a file. Raises PolicyError or UnreadableFileError."""
    upload_scan.check_is_clean(data, by=person)
    text = text_of(data)
    is_vcard = text.lstrip()[:11].upper() == "BEGIN:VCARD"
    return vcard.read(text) if is_vcard else csv_file.read(text)


def _looked_at(request: HttpRequest, person: Person, found: Cards) -> HttpResponse:
    token = secrets.token_urlsafe(16)
    cache.set(_key(person, token), found.cards, PATIENCE)
    context = {
        "token": token,
        "cards": found.cards[:10],
        "more": max(0, len(found.cards) - 10),
        "foreseen": actions.foreseen(person, found.cards),
        "problems": found.problems[:PROBLEMS_SHOWN],
        "problem_count": len(found.problems),
    }
    return render_with_sidebar(request, "webmail/contacts/import_preview.html", context)


def _told(done: Merged) -> str:
    """ "3 contacts added, 1 filled in." """
    plural = "" if done.added == 1 else "s"
    filled = f", {done.filled} filled in" if done.filled else ""
    return f"{done.added} contact{plural} added{filled}."


def _key(person: Person, token: str) -> str:
    return f"webmail-import-{person.pk}-{token}"


def _kept(person: Person, token: str) -> list[Card] | None:
    found: list[Card] | None = cache.get(_key(person, token))
    return found
