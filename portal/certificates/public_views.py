"""The public page that verifies certificates, and the list of public keys."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from engine.certificates import actions, published_keys, verification
from engine.certificates.errors import NotVerifiedError
from engine.certificates.verification import Verified
from engine.registry.permissions.view_guards import public
from onboarding import rate_limits
from portal.certificates import presentation
from portal.ui.forms import post_data

# Files that one address may have verified in an hour: an office shares one address.
LIMIT = 200


class VerificationForm(forms.Form):
    """A certificate, as PDF or JSON."""

    file = forms.FileField(
        label=_("The certificate"),
        help_text=_("The PDF or JSON file, as you got it. We do not keep it."),
        allow_empty_file=True,
        widget=forms.FileInput(
            attrs={"accept": ".pdf,.json,application/pdf,application/json"}
        ),
        error_messages={
            "required": _("Choose the certificate’s file"),
            "invalid": _("Choose the certificate’s file"),
        },
    )


@public
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Verifies an uploaded certificate, for anybody. Nothing of the file is kept.

    Strangers may send 100,000 octets (`portal.middleware.body_limit`).
    """
    form = VerificationForm(post_data(request), request.FILES or None)
    found: Verified | None = None
    if form.is_bound:
        try:
            rate_limits.count("verify", str(request.META.get("REMOTE_ADDR", "")), LIMIT)
        except rate_limits.RateLimitError:
            return render(request, "429.html", status=429)
        if form.is_valid():
            found = _verified(form)
    context: dict[str, Any] = {"form": form, "found": found}
    if found is not None:
        context["tables"] = presentation.tables(found.statement)
        context["statement"] = found.statement
    return render(request, "certificates/verify.html", context)


def _verified(form: VerificationForm) -> Verified | None:
    """Verifies the form's file; a file that is not genuine is an error of the form."""
    file = form.cleaned_data["file"].read(verification.MAX_OCTETS + 1)
    try:
        return verification.verify(
            file, published_keys.known(), is_recorded=actions.is_recorded
        )
    except NotVerifiedError as error:
        form.add_error("file", str(error))
        return None


@public
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Lists the public halves of all signing keys, retired ones too."""
    return JsonResponse(published_keys.document(), json_dumps_params={"indent": 1})
