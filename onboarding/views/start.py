"""The pages before an application exists: start, eligibility, email address, mailed link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from onboarding import rate_limits
from onboarding.applying import applications
from onboarding.forms.application import AddressForm, EligibilityForm
from onboarding.models import LinkPurpose
from onboarding.signed_links import ExpiredLinkError, ForgedLinkError
from onboarding.views import applicant_session
from onboarding.views.applicant_session import public_page
from onboarding.views.mailed_links import find_link, link_ended

ADDRESS_KEY = "onboarding.address"
OUTSIDERS = ("party", "none")


@public_page
def start(request: HttpRequest) -> HttpResponse:
    """Shows who can apply and what they need."""
    return render(request, "onboarding/applying/start.html")


@public_page
def eligibility(request: HttpRequest) -> HttpResponse:
    """Turns away visitors who cannot apply. The answer is not stored."""
    form = EligibilityForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        work = form.cleaned_data["work"]
        if work in OUTSIDERS:
            return render(
                request, "onboarding/applying/not_eligible.html", {"work": work}
            )
        return redirect("onboarding:email")
    return render(request, "onboarding/applying/eligibility.html", {"form": form})


@public_page
def email(request: HttpRequest) -> HttpResponse:
    """Emails a link to the address, and responds alike for known and unknown ones."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        rate_limits.count_link_by(request)
        applications.request_link(form.cleaned_data["address"])
        request.session[ADDRESS_KEY] = form.cleaned_data["address"]
        return redirect("onboarding:sent")
    return render(request, "onboarding/applying/email.html", {"form": form})


@public_page
def sent(request: HttpRequest) -> HttpResponse:
    """Shows where the link was sent."""
    address = request.session.get(ADDRESS_KEY)
    if not address:
        return redirect("onboarding:email")
    return render(request, "onboarding/applying/sent.html", {"address": address})


@public_page
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Asks for confirmation of a mailed link, then begins or returns to the application.

    Opening the page changes nothing, because mail scanners open links too.
    """
    found = find_link(token, LinkPurpose.START, LinkPurpose.RETURN)
    if found is None:
        return link_ended(request, token)
    if request.method != "POST":
        return render(request, "onboarding/applying/link.html", {"link": found})
    try:
        application = applications.open_link(token)
    except (ExpiredLinkError, ForgedLinkError):
        return link_ended(request, token)
    applicant_session.start(request, application)
    return redirect("onboarding:tasks")
