from __future__ import annotations

from django.urls import path

from portal.console.guides import views

app_name = "guide_desk"
urlpatterns = [
    path("", views.reviews, name="reviews"),
    path("feedback/", views.feedback, name="feedback"),
]
