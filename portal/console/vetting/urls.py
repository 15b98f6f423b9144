from __future__ import annotations

from django.urls import path

from portal.console.vetting import views

app_name = "vetting"
urlpatterns = [
    path("", views.index, name="index"),
    path("results/", views.index_results, name="index_results"),
    path("<int:pk>/", views.inspect, name="inspect"),
    path("<int:pk>/approve/", views.approve, name="approve"),
    path("<int:pk>/reject/", views.reject, name="reject"),
    path("<int:pk>/retry/", views.retry, name="retry"),
]
