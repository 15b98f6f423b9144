"""The pages behind a link: prove who you are, see the files, download them.

Open to everybody, because some recipients have no account here. A page says nothing of
the files or the message to those who are not among its recipients, and answers every
address alike.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from engine.encryption.errors import NoKeyError
from engine.linked_files import downloads, proofs
from engine.registry.permissions.view_guards import public
from onboarding import rate_limits
from portal.ui.forms import post_data
from portal.webmail.linked_files import opening
from portal.webmail.linked_files.opening import Opening

# In an hour: codes for one address and for one link, and requests, tries and downloads of
# one client, whose address a whole office may share.
TO_ADDRESS, OF_LINK, BY_CLIENT, TRIES, DOWNLOADS = 5, 20, 30, 60, 300
HAS_ENDED = HTTPStatus.GONE

private = cache_control(private=True, no_store=True)


class AddressForm(forms.Form):
    """The address at which the visitor received the message."""

    address = forms.CharField(
        label="The email address at which you received the message",
        help_text="For example jane@firm.example. We send a code to it.",
        max_length=254,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "email",
                "autocapitalize": "none",
                "spellcheck": "false",
                "type": "email",
            }
        ),
        error_messages={"required": "Enter your email address"},
    )


class CodeForm(forms.Form):
    """The code that was mailed to it."""

    code = forms.CharField(
        label="Code",
        help_text="The 8 digits in the message that we sent",
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "class": "govuk-input--width-10",
            }
        ),
        error_messages={"required": "Enter the code"},
    )


@public
@private
@require_safe
def show(request: HttpRequest, secret: str) -> HttpResponse:
    """Shows the files to a recipient; asks everybody else to prove who they are."""
    opened = opening.of(request, secret)
    if opened.is_over:
        return _ended(request)
    if opened.reader is None:
        return _prove(request, opened, AddressForm())
    context = {"opened": opened, "sender": opened.file.author}
    return render(request, "webmail/linked_files/files.html", context)


@public
@private
@require_GET
def download(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Downloads a file, and records it."""
    opened = opening.of(request, secret)
    if opened.is_over:
        return _ended(request)
    if opened.reader is None:
        return redirect("linked_files:show", secret=secret)
    if not _may("downloads", _client(request), DOWNLOADS):
        return _too_many(request)
    try:
        content = downloads.open_content(opened.file)
    except (FileNotFoundError, NoKeyError):
        return _ended(request)
    downloads.note_download(opened.file, opened.reader, by=opened.person)
    response = FileResponse(
        content,
        as_attachment=True,
        filename=opened.file.name,
        content_type="application/octet-stream",
    )
    response["Content-Length"] = str(opened.file.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@public
@private
@require_POST
def ask_for_code(request: HttpRequest, secret: str) -> HttpResponse:
    """Starts a proof of the address that was typed, whatever it is."""
    opened = opening.of(request, secret)
    if opened.is_over:
        return _ended(request)
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _prove(request, opened, form)
    address = form.cleaned_data["address"].strip()
    is_within = (
        _may("codes-by", _client(request), BY_CLIENT)
        and _may("codes-of", secret, OF_LINK)
        and _may("codes-to", address.casefold(), TO_ADDRESS)
    )
    if not is_within:
        return _too_many(request)
    request.session[opening.PROOF_KEY] = proofs.request(opened.file, address).pk
    return redirect("linked_files:code", secret=secret)


@public
@private
@require_http_methods(["GET", "HEAD", "POST"])
def enter_code(request: HttpRequest, secret: str) -> HttpResponse:
    """Asks for the code; with the right one, opens the files in this session."""
    opened = opening.of(request, secret)
    if opened.is_over:
        return _ended(request)
    proof_id = request.session.get(opening.PROOF_KEY)
    if proof_id is None:
        return redirect("linked_files:show", secret=secret)
    form = CodeForm(post_data(request))
    if form.is_valid():
        if not _may("tries", _client(request), TRIES):
            return _too_many(request)
        proof = proofs.redeem(proof_id, form.cleaned_data["code"], file=opened.file)
        if proof is not None:
            opening.remember(request, opened.file, proof.recipient)
            return redirect("linked_files:show", secret=secret)
        form.add_error(
            "code",
            "That code is not right, or can no longer be used. Check it, or ask for "
            "another code",
        )
    context: dict[str, Any] = {
        "form": form,
        "secret": secret,
        "minutes": int(proofs.VALID_FOR.total_seconds() // 60),
    }
    return render(request, "webmail/linked_files/code.html", context)


def _prove(request: HttpRequest, opened: Opening, form: AddressForm) -> HttpResponse:
    """Asks who the visitor is. A member who is no recipient is refused, on record."""
    if opened.person is not None:
        downloads.note_refusal(opened.file, by=opened.person)
    context = {
        "form": form,
        "secret": opened.file.secret,
        "is_refused": opened.person is not None,
        "can_sign_in": not request.user.is_authenticated,
    }
    return render(request, "webmail/linked_files/prove.html", context)


def _ended(request: HttpRequest) -> HttpResponse:
    return render(request, "webmail/linked_files/ended.html", status=HAS_ENDED)


def _too_many(request: HttpRequest) -> HttpResponse:
    return render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)


def _may(kind: str, name: str, limit: int) -> bool:
    """Counts one more in this hour; returns whether it is within the limit."""
    try:
        rate_limits.count(f"linked-files-{kind}", name, limit)
    except rate_limits.RateLimitError:
        return False
    return True


def _client(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
