"""Forms about an organisation and its people, and the answers of those it names."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from engine.registry.models import Kind
from onboarding.forms.fields import (
    AnyAddressField,
    EverydayAddressField,
    NameField,
    OwnNameField,
    PhoneField,
)
from onboarding.forms.page import PageForm, address_input, choice, missing, narrow
from onboarding.models import Audience, Terms

APPLICANT_KINDS = [one for one in Kind.choices if one[0] != Kind.OPERATOR]


class OrganisationForm(PageForm):
    """The organisation's name, place and kind of work."""

    organisation_name = OwnNameField(
        label="Name of your organisation",
        max_length=200,
        error_messages=missing("Enter the name of your organisation"),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    town = NameField(
        label="Town or city",
        max_length=100,
        error_messages=missing("Enter your town or city"),
        widget=narrow(autocomplete="address-level2"),
    )
    kind = choice(
        "What does your organisation do?",
        APPLICANT_KINDS,
        "Select what your organisation does",
    )
    is_sole_user = choice(
        "Will you be the only person who uses the service?",
        [("yes", "Yes, only me"), ("no", "No, several people")],
        "Select yes if you will be the only person who uses the service",
    )

    def clean_is_sole_user(self) -> bool:
        """Returns the answer as a bool."""
        return bool(self.cleaned_data["is_sole_user"] == "yes")


class ApplicantForm(PageForm):
    """The applicant, who becomes the first administrator."""

    applicant_name = OwnNameField(
        label="Full name",
        max_length=150,
        error_messages=missing("Enter your full name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    applicant_job_title = NameField(
        label="Job title",
        max_length=150,
        error_messages=missing("Enter your job title"),
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )
    applicant_phone = PhoneField(
        label="Telephone number",
        max_length=40,
        error_messages=missing("Enter your telephone number"),
        widget=narrow(autocomplete="tel", type="tel"),
    )


class OtherPersonForm(PageForm):
    """The base of forms about a person other than the applicant."""

    def of_somebody_else(self, field: str) -> str:
        """Returns the address typed in `field`; refuses the applicant's own."""
        address: str = self.cleaned_data[field]
        if address.casefold() == self.application.everyday_address.casefold():
            raise ValidationError("Enter another person's address, not your own")
        return address


class SecondForm(OtherPersonForm):
    """The second administrator, so that an organisation never depends on one person."""

    second_name = OwnNameField(
        label="Full name",
        max_length=150,
        error_messages=missing("Enter the second administrator's full name"),
    )
    second_job_title = NameField(
        label="Job title",
        max_length=150,
        error_messages=missing("Enter the second administrator's job title"),
    )
    second_address = EverydayAddressField(
        label="Email address they use now",
        max_length=254,
        help_text="When we approve your application, we send them a link to sign in.",
        error_messages=missing("Enter the email address they use now"),
        widget=forms.TextInput(attrs={"type": "email", "spellcheck": "false"}),
    )

    def clean_second_address(self) -> str:
        """Refuses the applicant's own address."""
        return self.of_somebody_else("second_address")


class SponsorForm(OtherPersonForm):
    """The member named by the applicant to vouch for the organisation."""

    sponsor_name = OwnNameField(
        label="Sponsor's full name",
        max_length=150,
        error_messages=missing("Enter your sponsor's full name"),
    )
    sponsor_organisation = OwnNameField(
        label="Sponsor's organisation",
        max_length=200,
        error_messages=missing("Enter your sponsor's organisation"),
    )
    sponsor_address = AnyAddressField(
        label="Sponsor's work email address",
        max_length=254,
        error_messages=missing("Enter your sponsor's work email address"),
        widget=forms.TextInput(attrs={"type": "email", "spellcheck": "false"}),
    )

    def clean_sponsor_address(self) -> str:
        """Refuses the applicant's own address."""
        return self.of_somebody_else("sponsor_address")


class SignerForm(PageForm):
    """Whether the applicant or another person signs the terms."""

    signer = choice(
        "Who can sign the terms for your organisation?",
        [("me", "I can"), ("other", "Another person")],
        "Select who can sign the terms",
    )


class SignatoryForm(PageForm):
    """The person who signs the terms by a link, if not the applicant."""

    signatory_name = OwnNameField(
        label="Full name",
        max_length=150,
        error_messages=missing("Enter their full name"),
    )
    signatory_job_title = NameField(
        label="Job title",
        max_length=150,
        error_messages=missing("Enter their job title"),
    )
    signatory_address = EverydayAddressField(
        label="Email address",
        max_length=254,
        help_text="When you submit your application, we send them a link to read and "
        "sign the terms.",
        error_messages=missing("Enter their email address"),
        widget=forms.TextInput(attrs={"type": "email", "spellcheck": "false"}),
    )


class TermsForm(PageForm):
    """The current terms, accepted by the applicant.

    The hidden `terms_id` is the version that was read: if another was published
    meanwhile, the applicant must read that one.
    """

    terms_id = forms.IntegerField(widget=forms.HiddenInput)
    agree = forms.BooleanField(
        label="I have read the terms and accept them for my organisation",
        error_messages=missing("Select that you accept the terms to continue"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        typed = self.application.typed.get("organisation", {})
        is_sole = typed.get("is_sole_user") == "yes"
        audience = Audience.SOLE_USER if is_sole else Audience.ORGANISATION
        self.terms = Terms.objects.current(audience)
        self.initial["terms_id"] = self.terms.pk
        if is_sole:
            self.fields["agree"].label = "I have read the terms and accept them"

    def clean(self) -> dict[str, Any]:
        """Refuses the acceptance of a version that is no longer current."""
        if self.cleaned_data.get("terms_id") != self.terms.pk:
            raise ValidationError("The terms have changed. Read the new version")
        return self.cleaned_data


class AddressForm(forms.Form):
    """The work email address to which the link to apply is sent."""

    address = EverydayAddressField(
        label="What is your work email address?",
        max_length=254,
        help_text="We send you a link to begin, or to return to an application.",
        error_messages=missing("Enter your work email address"),
        widget=address_input(),
    )


class EligibilityForm(forms.Form):
    """What the visitor's organisation does, to turn away those who cannot apply."""

    work = choice(
        "What best describes your organisation?",
        [
            ("justice", "A court, police, prosecution, prison or probation service"),
            ("law", "A law firm, barrister or chambers"),
            (
                "support",
                "A charity or service that supports people in the justice system",
            ),
            ("public", "A council, health service or part of central government"),
            ("party", "None: I am a defendant, victim, witness or party in a case"),
            ("none", "None of these"),
        ],
        "Select what best describes your organisation",
    )


class AnswerForm(forms.Form):
    """The applicant's answer to an officer's question."""

    text = forms.CharField(
        label="Your answer",
        max_length=4000,
        error_messages=missing("Enter your answer"),
        widget=forms.Textarea(attrs={"rows": 5}),
    )


class SponsorAnswerForm(forms.Form):
    """The sponsor's answer, with a reason if it is no."""

    answer = choice(
        "Do you sponsor this application?",
        [("confirm", "Yes, I sponsor it"), ("decline", "No")],
        "Select yes if you sponsor this application",
    )
    reason = forms.CharField(
        label="If no, why not?",
        max_length=2000,
        error_messages=missing("Enter why you do not sponsor this application"),
        help_text="A vetting officer reads this; the applicant does not.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_declined = self.data.get("answer") == "decline"
        self.fields["reason"].required = is_declined or not self.is_bound


class SignForm(forms.Form):
    """The signatory's acceptance of the terms."""

    agree = forms.BooleanField(
        label="I have read the terms, I may sign for my organisation, and I accept them",
        error_messages=missing("Select that you accept the terms to sign them"),
    )
