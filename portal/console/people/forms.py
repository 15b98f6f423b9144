"""Forms and filters about people."""

from __future__ import annotations

from django import forms

from engine.registry.models import RoleName
from portal.ui.filters import FilterForm, text_filter
from portal.ui.forms import ActionForm, ReasonForm


class PeopleFilter(FilterForm):
    """Filters people by name, address and status."""

    q = text_filter("Name, address or job title")
    status = forms.ChoiceField(
        label="Show",
        choices=[
            ("", "Everyone"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("staff", "Staff"),
        ],
    )


class StaffForm(ActionForm):
    """A new member of staff."""

    name = forms.CharField(
        label="Full name",
        max_length=150,
        error_messages={"required": "Enter the name"},
    )
    address = forms.CharField(
        label="Address",
        max_length=254,
        help_text="At the service's own domain. They sign in with it.",
        error_messages={"required": "Enter the address"},
    )
    everyday_address = forms.EmailField(
        label="Everyday email address",
        help_text="The link to choose a password goes there.",
        error_messages={"required": "Enter the everyday email address"},
    )


class StaffRoleForm(ReasonForm):
    """A role for a member of staff, with the reason."""

    role = forms.ChoiceField(
        label="Role",
        choices=[
            (role.value, role.label)
            for role in RoleName
            if role not in (RoleName.MEMBER, RoleName.ADMINISTRATOR)
        ],
    )
    field_order = ("role", "reason")
