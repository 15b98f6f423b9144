from __future__ import annotations

from django.urls import path

from portal.webmail.linked_files import public_views

app_name = "linked_files"

urlpatterns = [
    path("<str:secret>/", public_views.show, name="show"),
    path("<str:secret>/download/", public_views.download, name="download"),
    path("<str:secret>/address/", public_views.ask_for_code, name="ask_for_code"),
    path("<str:secret>/code/", public_views.enter_code, name="code"),
]
