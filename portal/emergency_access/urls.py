from __future__ import annotations

from django.urls import path

from portal.emergency_access import views

app_name = "emergency_access"
urlpatterns = [
    path("", views.index, name="index"),
    path("ask/<int:person_id>/", views.ask, name="ask"),
    path("<int:pk>/", views.show, name="show"),
    path("<int:pk>/approve/", views.approve, name="approve"),
    path("<int:pk>/refuse/", views.refuse, name="refuse"),
    path("<int:pk>/end/", views.end, name="end"),
]
