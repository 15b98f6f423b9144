"""The pages after submission: progress, answers, another sponsor or signatory, withdrawal."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from engine.registry.errors import PolicyError
from engine.registry.permissions.view_guards import GuardedView
from onboarding.applying import applications
from onboarding.applying.progress import awaited, stages
from onboarding.forms.application import AnswerForm, SignatoryForm, SponsorForm
from onboarding.forms.page import PageForm
from onboarding.models import Application, SponsorshipStatus
from onboarding.status import Status
from onboarding.vetting import policies, signatures, sponsors
from onboarding.vetting.signatures import TermsChoice
from onboarding.vetting.sponsors import NamedSponsor
from onboarding.views import applicant_session
from onboarding.views.applicant_session import View, applicant_page
from onboarding.views.sponsor_and_signatory import terms_pdf


def submitted_page(view: View) -> GuardedView:
    """Restricts a view to submitted applications; a draft goes to its task list."""

    @wraps(view)
    def guarded(
        request: HttpRequest, application: Application, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if application.submitted_at is None:
            return redirect("onboarding:tasks")
        return view(request, application, *args, **kwargs)

    return applicant_page(guarded)


@submitted_page
def confirmation(request: HttpRequest, application: Application) -> HttpResponse:
    """Shows the reference number after submission."""
    panel = f"Your reference number<br><strong>{application.reference}</strong>"
    context = {"application": application, "panel": panel}
    return render(request, "onboarding/applying/confirmation.html", context)


@submitted_page
def progress(request: HttpRequest, application: Application) -> HttpResponse:
    """Shows the stages of the application and the officers' questions."""
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
    return render(request, "onboarding/applying/progress.html", context)


@submitted_page
def answer(request: HttpRequest, application: Application, pk: int) -> HttpResponse:
    """Shows an officer's question and saves the applicant's answer."""
    question = get_object_or_404(application.questions.all(), pk=pk)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            applications.answer(question, text=form.cleaned_data["text"], by=None)
        except PolicyError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "We have your answer.")
        return redirect("onboarding:progress")
    context = {"question": question, "form": form}
    return render(request, "onboarding/applying/answer.html", context)


@submitted_page
def other_sponsor(request: HttpRequest, application: Application) -> HttpResponse:
    """Replaces the sponsor."""
    data = request.POST if request.method == "POST" else None
    form = SponsorForm(data, application=application)

    def action() -> None:
        sponsors.ask(application, _sponsor(form.cleaned_data), by=None)

    return _replace(request, form, action, "sponsor")


@submitted_page
def other_signatory(request: HttpRequest, application: Application) -> HttpResponse:
    """Replaces a signatory who has not signed."""
    data = request.POST if request.method == "POST" else None
    form = SignatoryForm(data, application=application)

    def action() -> None:
        signatures.replace_signatory(
            application, _signatory(form.cleaned_data), by=None
        )

    return _replace(request, form, action, "signatory")


@applicant_page
def withdraw(request: HttpRequest, application: Application) -> HttpResponse:
    """Withdraws a submitted application, or deletes a draft, after confirmation."""
    if request.method == "POST":
        try:
            applications.withdraw(application, by=None)
        except PolicyError as refusal:
            messages.error(request, str(refusal))
            return redirect("onboarding:progress")
        applicant_session.end(request)
        return render(request, "onboarding/applying/withdrawn.html")
    is_draft = application.status == Status.DRAFT
    context = {"application": application, "is_draft": is_draft}
    return render(request, "onboarding/applying/withdraw.html", context)


@submitted_page
def terms_copy(request: HttpRequest, application: Application) -> HttpResponse:
    """Downloads the signed terms as PDF."""
    signed = application.signatures.exclude(signed_at=None).select_related("terms")
    signature = signed.first()
    if signature is None:
        raise Http404
    return terms_pdf(signature)


def _replace(
    request: HttpRequest, form: PageForm, action: Callable[[], object], role: str
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            action()
        except PolicyError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"We are sending a link to your new {role}.")
        return redirect("onboarding:progress")
    return render(request, f"onboarding/applying/other_{role}.html", {"form": form})


def _sponsor(cleaned: dict[str, Any]) -> NamedSponsor:
    return NamedSponsor(
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
