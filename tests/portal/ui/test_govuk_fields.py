from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django import forms
from django.template import engines

CHOICES = [("a", "Apple"), ("b", "Bean")]


class Everything(forms.Form):
    name = forms.CharField(
        help_text="As on the letter",
        widget=forms.TextInput(
            attrs={"class": "govuk-input--width-10", "autocomplete": "name"}
        ),
    )
    nickname = forms.CharField(required=False)
    age = forms.IntegerField(min_value=1)
    secret = forms.CharField(widget=forms.PasswordInput)
    reason = forms.CharField(widget=forms.Textarea, max_length=100)
    note = forms.CharField(widget=forms.Textarea)
    fruit = forms.ChoiceField(choices=CHOICES)
    meal = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect)
    agreed = forms.BooleanField(label="I agree")
    many = forms.MultipleChoiceField(
        choices=CHOICES, widget=forms.CheckboxSelectMultiple
    )
    listed = forms.MultipleChoiceField(choices=CHOICES)
    file = forms.FileField()
    token = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["meal"].widget.hints = {"a": "Keeps the doctor away"}


def rendered(form: forms.Form, template: str = "{{ form }}") -> BeautifulSoup:
    source = engines["django"].from_string("{% load govuk %}" + template)
    return BeautifulSoup(source.render({"form": form}), "html.parser")


@pytest.fixture
def blank() -> BeautifulSoup:
    return rendered(Everything())


@pytest.fixture
def wrong() -> BeautifulSoup:
    return rendered(Everything({}), "{% error_summary form %}{{ form }}")


def test_text_field_has_label_and_hint(blank: BeautifulSoup) -> None:
    field = blank.find(id="id_name")

    assert field["class"] == ["govuk-input", "govuk-input--width-10"]
    assert field["autocomplete"] == "name"
    assert field["aria-describedby"] == "id_name-hint"
    assert blank.find("label", attrs={"for": "id_name"}).get_text(strip=True) == "Name"


def test_field_that_is_not_needed_says_so(blank: BeautifulSoup) -> None:
    assert "Nickname (optional)" in blank.get_text()


def test_number_is_typed_as_text(blank: BeautifulSoup) -> None:
    assert blank.find(id="id_age")["type"] == "text"
    assert blank.find(id="id_age")["inputmode"] == "numeric"


@pytest.mark.parametrize(
    ("selector", "number"),
    [
        ("input.govuk-password-input__input#id_secret", 1),
        (".govuk-character-count textarea#id_reason", 1),
        ("textarea#id_note.govuk-textarea", 1),
        ("select#id_fruit.govuk-select option", 2),
        ("fieldset input.govuk-radios__input[name=meal]", 2),
        ("input.govuk-checkboxes__input#id_agreed", 1),
        ("fieldset input.govuk-checkboxes__input[name=many]", 2),
        ("select#id_listed[multiple]", 1),
        ("input.govuk-file-upload#id_file", 1),
        ("input[type=hidden]#id_token", 1),
        ("[required]:not(#id_listed)", 0),
        ("[maxlength]", 0),
    ],
)
def test_widget_becomes_its_component(
    blank: BeautifulSoup, selector: str, number: int
) -> None:
    assert len(blank.select(selector)) == number


def test_nought_is_a_choice_and_nothing_is_none() -> None:
    class Waits(forms.Form):
        seconds = forms.ChoiceField(
            choices=[("", "---"), (0, "At once"), (10, "10 seconds")],
            widget=forms.RadioSelect,
        )

    radios = rendered(Waits(initial={"seconds": 0})).select("input[type=radio]")

    assert [radio["value"] for radio in radios] == ["0", "10"]
    assert radios[0].has_attr("checked")


def test_choice_has_its_hint(blank: BeautifulSoup) -> None:
    hint = blank.find(id="id_meal-item-hint")

    assert hint.get_text(strip=True) == "Keeps the doctor away"


def test_every_error_is_in_the_summary_and_leads_to_its_field(
    wrong: BeautifulSoup,
) -> None:
    links = wrong.select(".govuk-error-summary__list a")

    assert [link["href"] for link in links] == [
        f"#id_{name}"
        for name in Everything.base_fields
        if name not in ("nickname", "token")
    ]
    for link in links:
        assert wrong.find(id=link["href"][1:]) is not None


def test_missing_value_is_told_in_words(wrong: BeautifulSoup) -> None:
    texts = [link.get_text(strip=True) for link in wrong.select("ul a")]

    assert texts[:2] == ["Enter name", "Enter age"]
    assert "Select fruit" in texts


def test_no_summary_without_errors() -> None:
    assert rendered(Everything(), "{% error_summary form %}").get_text() == ""


def test_what_was_typed_comes_back_escaped() -> None:
    form = rendered(Everything({"name": '"><script>', "meal": "b", "many": ["a"]}))

    assert form.find(id="id_name")["value"] == '"><script>'
    assert form.select_one("input[name=meal][checked]")["value"] == "b"
    assert form.select_one("input[name=many][checked]")["value"] == "a"
    assert form.find("script") is None


def test_label_may_be_the_heading() -> None:
    page = rendered(Everything(), '{% field form.name label_size="l" heading=True %}')

    assert page.select_one("h1 label.govuk-label--l") is not None
