"""Routes of the guides."""

from __future__ import annotations

from django.urls import path, re_path
from wagtail.urls import serve_pattern

from portal.guides import views

# Without a namespace, because Wagtail itself reverses `wagtail_serve`.
urlpatterns = [
    path("search/", views.search, name="guide_search"),
    path("useful/<int:pk>/", views.useful, name="guide_useful"),
    path("comment/<str:token>/", views.comment, name="guide_comment"),
    path("thanks/", views.thanks, name="guide_thanks"),
    path("pictures/images/<str:name>", views.picture, name="guide_picture"),
    path("<slug:slug>.pdf", views.pdf_file, name="guide_paper"),
    re_path(serve_pattern, views.page, name="wagtail_serve"),
]
