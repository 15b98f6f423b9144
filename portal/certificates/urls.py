from __future__ import annotations

from django.urls import path

from portal.certificates import own_views, public_views

app_name = "certificates"
urlpatterns = [
    path("", public_views.verify, name="verify"),
    path("keys.json", public_views.keys, name="keys"),
    path("<uuid:number>/", own_views.show, name="show"),
    path("<uuid:number>/certificate.pdf", own_views.pdf, name="pdf"),
    path("<uuid:number>/certificate.json", own_views.document, name="json"),
]
