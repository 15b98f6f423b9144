"""Pages about a person's own account whose verbs live here: under /account/."""

from __future__ import annotations

from django.urls import path

from portal.organisation.views import own_factor

app_name = "own_factor"
urlpatterns = [
    path("<int:pk>/", own_factor.answer, name="answer"),
    path("link/<str:token>/", own_factor.by_link, name="by_link"),
]
