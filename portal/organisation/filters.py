"""Filters of the organisation's lists."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.organisation.mail.trace_query import Shown
from portal.ui.filters import FilterForm, date_filter, text_filter


class PeopleFilter(FilterForm):
    """Filters people by name, address, job title and status."""

    q = text_filter(_("Name, address or job title"))
    status = forms.ChoiceField(
        label=_("Show"),
        choices=[
            ("", _("Everyone")),
            ("active", _("Active")),
            ("suspended", _("Suspended")),
            ("administrators", _("Administrators")),
            ("ex-directory", _("Not in the directory")),
        ],
    )


class TraceFilter(FilterForm):
    """Filters messages by direction, sender, recipient, reference, reason and days."""

    shown = forms.ChoiceField(label=_("Show"), choices=Shown.choices)
    sender = text_filter(_("From"))
    recipient = text_filter(_("To"))
    reference = text_filter(_("Our reference"))
    reason = text_filter(_("Reason"))
    since = date_filter(_("First day"))
    until = date_filter(_("Last day"))


class HistoryFilter(FilterForm):
    """Filters the audit trail."""

    q = text_filter(_("Person, address or action"))
