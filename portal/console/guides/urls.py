from __future__ import annotations

from django.urls import path

from portal.console import guide_reviews

app_name = "guide_desk"
urlpatterns = [
    path("", guide_reviews.reviews, name="reviews"),
    path("feedback/", guide_reviews.feedback, name="feedback"),
]
