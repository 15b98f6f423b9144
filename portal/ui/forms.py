"""Forms that run one action, and show the action's refusal like any other mistake."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from engine.registry.errors import PolicyError


def post_data(request: HttpRequest) -> QueryDict | None:
    """Returns the submitted data, or None for a GET, which leaves the form unbound.

    `request.POST or None` would mistake a submitted form without any field for a GET.
    """
    return request.POST if request.method == "POST" else None


class ActionForm(forms.Form):
    """A form that runs one action; the action's PolicyError becomes an error of it."""

    def submit(self, action: Callable[[], object], *, field: str | None = None) -> bool:
        """Runs the action if the form is valid. Returns whether the action succeeded.

        A refusal is shown at `field`, or at the top of the form without one.
        """
        if not self.is_bound or not self.is_valid():
            return False
        try:
            action()
        except PolicyError as refusal:
            self.add_error(field, str(refusal))
            return False
        return True


class ConfirmForm(ActionForm):
    """A form without fields, for a page that has a button only."""


class ReasonForm(ActionForm):
    """Asks why, for actions that keep the reason in the audit trail."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Recorded with your name."),
        max_length=200,
        error_messages={"required": _("Enter a reason")},
    )
