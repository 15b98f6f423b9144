from __future__ import annotations

from django.urls import path

from portal.console.vetting import applications, decisions

app_name = "vetting"
urlpatterns = [
    path("", applications.index, name="index"),
    path("results/", applications.index_results, name="index_results"),
    path("<int:pk>/", applications.inspect, name="inspect"),
    path("<int:pk>/approve/", decisions.approve, name="approve"),
    path("<int:pk>/reject/", decisions.reject, name="reject"),
    path("<int:pk>/ask/", decisions.ask, name="ask"),
    path("<int:pk>/correct/", decisions.correct, name="correct"),
    path("<int:pk>/reopen/", decisions.reopen, name="reopen"),
    path("<int:pk>/take/", decisions.take, name="take"),
    path("<int:pk>/check/", decisions.check_again, name="check_again"),
    path("<int:pk>/retry/", decisions.retry, name="retry"),
]
