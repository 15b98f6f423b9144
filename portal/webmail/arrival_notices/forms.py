"""The form of arrival notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.registry.models import Mailbox
from portal.ui.forms import ActionForm
from portal.webmail.access import MailboxAccess
from portal.webmail.models import Period

HINTS = {
    Period.AT_ONCE: _("Mail that comes within five minutes shares one notice."),
    Period.HOURLY: _("One notice for all that came since the last."),
    Period.DAILY: _("One notice for all that came since the last."),
}


class ArrivalNoticesForm(ActionForm):
    """How often, and for which mailboxes."""

    period = forms.ChoiceField(
        label=_("How often at most"),
        choices=Period.choices,
        error_messages={"required": _("Select how often")},
        widget=forms.RadioSelect,
    )
    mailboxes = forms.MultipleChoiceField(
        label=_("Which mailboxes"),
        help_text=_("Your choice changes nothing for others who read a mailbox."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, *args: Any, readable: Sequence[MailboxAccess], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._readable = {str(one.mailbox.pk): one.mailbox for one in readable}
        self.fields["period"].widget.hints = HINTS
        mailboxes = cast(forms.MultipleChoiceField, self.fields["mailboxes"])
        mailboxes.choices = [
            (pk, mailbox.address) for pk, mailbox in self._readable.items()
        ]

    @property
    def chosen_period(self) -> Period:
        """The chosen period."""
        return Period(self.cleaned_data["period"])

    @property
    def chosen_mailboxes(self) -> list[Mailbox]:
        """The chosen mailboxes."""
        return [self._readable[pk] for pk in self.cleaned_data["mailboxes"]]

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if found.get("period") not in (None, Period.NEVER) and not found.get(
            "mailboxes", True
        ):
            self.add_error(
                "mailboxes", _("Select at least one mailbox, or “Never” above")
            )
        return found
