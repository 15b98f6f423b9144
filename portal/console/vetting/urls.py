from __future__ import annotations

from django.urls import path

from portal.console.vetting import deciding, views

app_name = "vetting"
urlpatterns = [
    path("", views.index, name="index"),
    path("results/", views.index_results, name="index_results"),
    path("<int:pk>/", views.inspect, name="inspect"),
    path("<int:pk>/approve/", deciding.approve, name="approve"),
    path("<int:pk>/reject/", deciding.reject, name="reject"),
    path("<int:pk>/ask/", deciding.ask, name="ask"),
    path("<int:pk>/correct/", deciding.correct, name="correct"),
    path("<int:pk>/reopen/", deciding.reopen, name="reopen"),
    path("<int:pk>/take/", deciding.take, name="take"),
    path("<int:pk>/check/", deciding.check_again, name="check_again"),
    path("<int:pk>/retry/", deciding.retry, name="retry"),
]
