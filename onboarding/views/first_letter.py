"""The code of a letter, typed: it leads to the page that sets the first password."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from engine.registry.errors import PolicyError
from onboarding import links
from onboarding.actions import first_letters
from onboarding.forms.first_sign_in import LetterForm
from onboarding.visitor import stranger


@stranger
def enter(request: HttpRequest) -> HttpResponse:
    form = LetterForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            person = first_letters.open_letter(**form.cleaned_data)
        except PolicyError as refusal:
            form.add_error("code", str(refusal))
        else:
            token = links.first_sign_in_token(person)
            return redirect("onboarding:first_sign_in", token)
    return render(request, "onboarding/first_letter.html", {"form": form})
