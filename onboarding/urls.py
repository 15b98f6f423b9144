"""The public pages below /apply/."""

from __future__ import annotations

from django.urls import include, path

from onboarding.views import (
    directory_sign_in,
    draft,
    first_sign_in,
    progress,
    sponsor_and_signatory,
    start,
    welcome_letter,
)

pages = [
    path("eligibility/", start.eligibility, name="eligibility"),
    path("email/", start.email, name="email"),
    path("email/sent/", start.sent, name="sent"),
    path("link/<str:token>/", start.link, name="link"),
    path("tasks/", draft.tasks, name="tasks"),
    path("questions/<slug:key>/", draft.step, name="step"),
    path("check/", draft.check, name="check"),
    path("confirmation/", progress.confirmation, name="confirmation"),
    path("progress/", progress.progress, name="progress"),
    path("progress/question/<int:pk>/", progress.answer, name="answer"),
    path("progress/sponsor/", progress.other_sponsor, name="other_sponsor"),
    path("progress/signatory/", progress.other_signatory, name="other_signatory"),
    path("progress/terms.pdf", progress.terms_copy, name="terms_copy"),
    path("withdraw/", progress.withdraw, name="withdraw"),
    path("sponsor/<str:token>/", sponsor_and_signatory.sponsor, name="sponsor"),
    path("sign/<str:token>/", sponsor_and_signatory.sign, name="sign"),
    path(
        "sign/<str:token>/terms.pdf",
        sponsor_and_signatory.signed_copy,
        name="signed_copy",
    ),
    path("letter/", welcome_letter.own, name="own_letter"),
    path("letter/new/", welcome_letter.reissue, name="reissue_letter"),
    path("letter/<str:token>/", welcome_letter.linked, name="letter"),
    path("first-sign-in/", first_sign_in.letter_code, name="first_letter"),
    path(
        "first-sign-in/<str:token>/", first_sign_in.first_sign_in, name="first_sign_in"
    ),
    path(
        "directory-sign-in/<str:token>/", directory_sign_in.claim, name="sign_in_claim"
    ),
    path("ca.pem", welcome_letter.authority_certificate, name="authority"),
]

urlpatterns = [
    path("", start.start, name="apply"),
    path("", include((pages, "onboarding"))),
]
