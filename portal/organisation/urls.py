from __future__ import annotations

from django.urls import path

from portal.organisation import views

app_name = "organisation"
urlpatterns = [
    path("", views.home, name="home"),
    path("<int:organisation_id>/", views.show, name="show"),
    path("<int:organisation_id>/people/", views.people, name="people"),
]
