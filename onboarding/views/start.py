"""Before an application exists: what it is, whether it is for you, and your address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from onboarding import throttle, visitor
from onboarding.actions import applying
from onboarding.forms.application import AddressForm, EligibilityForm
from onboarding.links import ExpiredLinkError, ForgedLinkError
from onboarding.models import LinkPurpose
from onboarding.views.links import ended, looked_at
from onboarding.visitor import stranger

ADDRESS_KEY = "onboarding.address"
OUTSIDERS = ("party", "none")


@stranger
def start(request: HttpRequest) -> HttpResponse:
    return render(request, "onboarding/start.html")


@stranger
def eligibility(request: HttpRequest) -> HttpResponse:
    """Whether this is for the visitor at all; nothing is kept of the answer."""
    form = EligibilityForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        work = form.cleaned_data["work"]
        if work in OUTSIDERS:
            return render(request, "onboarding/not_eligible.html", {"work": work})
        return redirect("onboarding:email")
    return render(request, "onboarding/eligibility.html", {"form": form})


@stranger
def email(request: HttpRequest) -> HttpResponse:
    """Mail a link to the address, whatever we know of it: the answer is one page."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        throttle.count_links_by(request)
        applying.ask_for_link(form.cleaned_data["address"])
        request.session[ADDRESS_KEY] = form.cleaned_data["address"]
        return redirect("onboarding:sent")
    return render(request, "onboarding/email.html", {"form": form})


@stranger
def sent(request: HttpRequest) -> HttpResponse:
    address = request.session.get(ADDRESS_KEY)
    if not address:
        return redirect("onboarding:email")
    return render(request, "onboarding/sent.html", {"address": address})


@stranger
def link(request: HttpRequest, token: str) -> HttpResponse:
    """A mailed link: opening it changes nothing, its button begins or returns."""
    found = looked_at(token, LinkPurpose.START, LinkPurpose.RETURN)
    if found is None:
        return ended(request, token)
    if request.method != "POST":
        return render(request, "onboarding/link.html", {"link": found})
    try:
        application = applying.open_link(token)
    except (ExpiredLinkError, ForgedLinkError):
        return ended(request, token)
    visitor.admit(request, application)
    return redirect("onboarding:tasks")
