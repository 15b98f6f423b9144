"""Asking for a sign-in to the directory: always the same answer, whoever asks."""

from __future__ import annotations

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from engine.registry.permissions.view_guards import public
from onboarding import tasks
from portal.account.forms import SignInRequestForm

TOO_MANY = 429


@public
@require_http_methods(["GET", "POST"])
def request_sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInRequestForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "account/request_sign_in.html", {"form": form})
    address = form.cleaned_data["email"]
    if not ratelimit.consume(request, action="request_sign_in", key=address):
        return render(request, "429.html", status=TOO_MANY)
    tasks.start_answer_to_request(address)
    return render(request, "account/request_sign_in_done.html")
