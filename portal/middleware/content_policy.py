"""Chooses the content security policy of a page."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

from portal.configuration.content_security_policy import WAGTAIL_ADMIN
from portal.ui import navigation


class ContentPolicyMiddleware(CSPMiddleware):
    """Gives Wagtail's admin a policy of its own; other pages get the one in the settings."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        is_admin = request.path.startswith(navigation.ADMIN)
        if is_admin and not report_only and parts.config is None:
            parts.config = dict(WAGTAIL_ADMIN)
        return parts
