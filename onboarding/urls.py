from __future__ import annotations

from django.urls import include, path

from onboarding.views import application, first_sign_in, tracker, welcome_letter

pages = [
    path("questions/<slug:key>/", application.step, name="step"),
    path("check/", application.check, name="check"),
    path("confirmation/", application.confirmation, name="confirmation"),
    path("progress/<str:token>/", tracker.tracker, name="tracker"),
    path("letter/", welcome_letter.own, name="own_letter"),
    path("letter/<str:token>/", welcome_letter.linked, name="letter"),
    path(
        "first-sign-in/<str:token>/", first_sign_in.first_sign_in, name="first_sign_in"
    ),
    path(
        "ca.pem",
        welcome_letter.authority_certificate,
        name="authority",
    ),
]

urlpatterns = [
    path("", application.start, name="apply"),
    path("", include((pages, "onboarding"))),
]
