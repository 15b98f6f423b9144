"""After sending in: following the application, answering, naming another, withdrawing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from engine.registry.errors import PolicyError
from engine.registry.permissions.view_guards import GuardedView
from onboarding import policies, visitor
from onboarding.actions import applying, sponsors, terms
from onboarding.forms.application import AnswerForm, SignatoryForm, SponsorForm
from onboarding.forms.page import PageForm
from onboarding.models import Application, SponsorshipStatus
from onboarding.progress import awaited, stages
from onboarding.sending import SponsorNamed, TermsChoice
from onboarding.status import Status
from onboarding.views.others import terms_pdf
from onboarding.visitor import View, applicant


def following(view: View) -> GuardedView:
    """For an application that was sent in; a draft is filled in first."""

    @wraps(view)
    def guarded(
        request: HttpRequest, application: Application, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if application.submitted_at is None:
            return redirect("onboarding:tasks")
        return view(request, application, *args, **kwargs)

    return applicant(guarded)


@following
def confirmation(request: HttpRequest, application: Application) -> HttpResponse:
    panel = f"Your reference number<br><strong>{application.reference}</strong>"
    context = {"application": application, "panel": panel}
    return render(request, "onboarding/confirmation.html", context)


@following
def progress(request: HttpRequest, application: Application) -> HttpResponse:
    """Where the application stands, and what we asked."""
    may_name = application.needs_sponsor and policies.can_name_sponsor(application)
    asked = application.sponsorships.first()
    is_declined = asked is not None and asked.status == SponsorshipStatus.DECLINED
    context = {
        "application": application,
        "stages": stages(application),
        "questions": application.questions.all(),
        "awaited": awaited(application),
        "may_name_sponsor": may_name,
        "may_name_signatory": policies.can_name_signatory(application),
        "needs_other_sponsor": may_name and is_declined,
        "signature": application.signatures.exclude(signed_at=None).first(),
    }
    return render(request, "onboarding/progress.html", context)


@following
def answer(request: HttpRequest, application: Application, pk: int) -> HttpResponse:
    """One question of an officer's, and the applicant's answer."""
    question = get_object_or_404(application.questions.all(), pk=pk)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            applying.answer(question, text=form.cleaned_data["text"], by=None)
        except PolicyError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "We have your answer.")
        return redirect("onboarding:progress")
    context = {"question": question, "form": form}
    return render(request, "onboarding/answer.html", context)


@following
def other_sponsor(request: HttpRequest, application: Application) -> HttpResponse:
    """Name another sponsor in the place of the one before."""
    data = request.POST if request.method == "POST" else None
    form = SponsorForm(data, application=application)

    def verb() -> None:
        sponsors.ask(application, _sponsor(form.cleaned_data), by=None)

    return _other(request, form, verb, "sponsor")


@following
def other_signatory(request: HttpRequest, application: Application) -> HttpResponse:
    """Name somebody else who can sign, while nobody has."""
    data = request.POST if request.method == "POST" else None
    form = SignatoryForm(data, application=application)

    def verb() -> None:
        terms.ask_another(application, _signatory(form.cleaned_data), by=None)

    return _other(request, form, verb, "signatory")


@applicant
def withdraw(request: HttpRequest, application: Application) -> HttpResponse:
    """A page with the button, for a draft as for what was sent in."""
    if request.method == "POST":
        try:
            applying.withdraw(application, by=None)
        except PolicyError as refusal:
            messages.error(request, str(refusal))
            return redirect("onboarding:progress")
        visitor.leave(request)
        return render(request, "onboarding/withdrawn.html")
    is_draft = application.status == Status.DRAFT
    context = {"application": application, "is_draft": is_draft}
    return render(request, "onboarding/withdraw.html", context)


@following
def terms_copy(request: HttpRequest, application: Application) -> HttpResponse:
    """The signed terms as PDF."""
    signed = application.signatures.exclude(signed_at=None).select_related("terms")
    signature = signed.first()
    if signature is None:
        raise Http404
    return terms_pdf(signature)


def _other(
    request: HttpRequest, form: PageForm, verb: Callable[[], object], whom: str
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            verb()
        except PolicyError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"We are asking your new {whom}.")
        return redirect("onboarding:progress")
    return render(request, f"onboarding/other_{whom}.html", {"form": form})


def _sponsor(cleaned: dict[str, Any]) -> SponsorNamed:
    return SponsorNamed(
        name=cleaned["sponsor_name"],
        organisation_name=cleaned["sponsor_organisation"],
        address=cleaned["sponsor_address"],
    )


def _signatory(cleaned: dict[str, Any]) -> TermsChoice:
    return TermsChoice(
        terms_id=None,
        name=cleaned["signatory_name"],
        job_title=cleaned["signatory_job_title"],
        address=cleaned["signatory_address"],
        signed_here=False,
    )
