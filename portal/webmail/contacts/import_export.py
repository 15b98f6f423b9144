"""Imports contacts from a file, with a preview first, and exports them."""

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
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.contacts import (
    actions,
    address_book,
    csv_file,
    file_text,
    import_choice,
    vcard,
)
from portal.webmail.contacts.actions import ImportResult
from portal.webmail.contacts.contact_card import (
    PROBLEMS_SHOWN,
    ParsedCards,
    UnreadableFileError,
)
from portal.webmail.contacts.forms import ImportForm
from portal.webmail.contacts.import_choice import Choice
from portal.webmail.sidebar import render_with_sidebar

# Seconds for which a previewed file can be imported.
PREVIEW_SECONDS = 30 * 60

# Contacts without doubts that are listed.
SURE_SHOWN = 10

NONE_CHOSEN = "Choose at least one contact to import."
EXPIRED = "The preview expired after half an hour. Choose the file again."


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """Uploads a file and shows what importing it would change."""
    person = accessible_mailboxes(request).person
    posted = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if posted else ImportForm()
    if form.is_valid():
        try:
            found = _read(form.cleaned_data["file"].read(), person)
        except (PolicyError, UnreadableFileError) as error:
            form.add_error("file", str(error))
        else:
            token = secrets.token_urlsafe(16)
            cache.set(_key(person, token), found, PREVIEW_SECONDS)
            return _preview_page(request, person, found, token)
    return render_with_sidebar(request, "webmail/contacts/import.html", {"form": form})


@requires_mail
@require_POST
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Imports the previewed file: what is sure, and what was chosen of the rest."""
    person = accessible_mailboxes(request).person
    found = _previewed(person, token)
    if found is None:
        messages.warning(request, EXPIRED)
        return redirect("webmail:import_contacts")
    choice = Choice.of(request.POST)
    cards = choice.cards(found)
    if not cards:
        return _preview_page(request, person, found, token, error=NONE_CHOSEN)
    try:
        done = actions.import_cards(person, cards)
    except PolicyError as error:
        return _preview_page(
            request, person, found, token, choice=choice, error=str(error)
        )
    left_out = len(found.entries) - len(cards)
    messages.success(request, _result_sentence(done, left_out))
    return redirect("webmail:contacts")


@requires_mail
@require_safe
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Downloads the whole address book as CSV or vCard."""
    writers = {"csv": (csv_file.write, "text/csv"), "vcf": (vcard.write, "text/vcard")}
    if kind not in writers:
        raise Http404
    write, content_type = writers[kind]
    text = write(address_book.export_cards(accessible_mailboxes(request).person))
    # Excel reads a CSV file as UTF-8 only if it starts with a byte order mark.
    mark = "\ufeff" if kind == "csv" else ""
    response = HttpResponse(mark + text, content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="contacts.{kind}"'
    return response


def _read(data: bytes, person: Person) -> ParsedCards:
    """Scans and parses a file. Raises PolicyError or UnreadableFileError."""
    upload_scan.check_is_clean(data, by=person)
    file = file_text.decode(data)
    is_vcard = file.text.lstrip()[:11].upper() == "BEGIN:VCARD"
    return vcard.read(file) if is_vcard else csv_file.read(file)


def _preview_page(
    request: HttpRequest,
    person: Person,
    found: ParsedCards,
    token: str,
    *,
    choice: Choice | None = None,
    error: str = "",
) -> HttpResponse:
    sure = import_choice.sure_cards(found)
    shown = (choice or Choice()).shown(found)
    doubtful = import_choice.doubtful_count(found)
    context = {
        "token": token,
        "error": error,
        "remark": found.remark,
        "cards": sure[:SURE_SHOWN],
        "more": max(0, len(sure) - SURE_SHOWN),
        "expected": actions.preview_import(person, sure),
        "doubtful": shown,
        "doubtful_count": doubtful,
        "others": doubtful - len(shown),
        "takes_others": choice is not None and choice.takes_others,
        "problems": found.problems[:PROBLEMS_SHOWN],
        "problem_count": len(found.problems),
        "more_problems": max(0, len(found.problems) - PROBLEMS_SHOWN),
    }
    return render_with_sidebar(request, "webmail/contacts/import_preview.html", context)


def _result_sentence(done: ImportResult, left_out: int) -> str:
    """Formats the result: "3 contacts added, 1 completed, 2 left out."."""
    plural = "" if done.added == 1 else "s"
    filled = f", {done.filled} completed" if done.filled else ""
    rest = f", {left_out} left out" if left_out else ""
    return f"{done.added} contact{plural} added{filled}{rest}."


def _key(person: Person, token: str) -> str:
    # Not the key of earlier releases, whose pickled cards this one cannot load.
    return f"contact-import-2-{person.pk}-{token}"


def _previewed(person: Person, token: str) -> ParsedCards | None:
    found: ParsedCards | None = cache.get(_key(person, token))
    return found
