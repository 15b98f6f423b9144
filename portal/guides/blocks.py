"""The blocks of which editors compose a guide."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from wagtail import blocks
from wagtail.images.blocks import ImageChooserBlock

from portal.guides.choices import Account
from portal.guides.rendering import pictures

FEATURES = ["bold", "link", "ol", "ul", "code"]
INLINE = ["bold", "link", "code"]


class PictureBlock(blocks.StructBlock):
    """A picture with a text alternative."""

    built_in = blocks.CharBlock(
        required=False,
        help_text="The name of a screenshot that comes with the product.",
    )
    image = ImageChooserBlock(required=False, help_text="Or a picture of your own.")
    alt = blocks.CharBlock(
        label="Text for screen readers",
        help_text="What somebody who does not see the picture needs to know.",
    )
    caption = blocks.CharBlock(required=False)

    class Meta:
        icon = "image"

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        name = cleaned["built_in"]
        if bool(name) == bool(cleaned["image"]):
            raise ValidationError(
                "Choose either a built-in screenshot or an image of your own."
            )
        if name and not pictures.exists(name):
            raise ValidationError(
                f"The built-in screenshot “{name}” does not exist. Check its name."
            )
        return cleaned


class StepBlock(blocks.StructBlock):
    """One step. Steps are numbered automatically."""

    title = blocks.CharBlock(help_text="Begin with a verb: “Choose New message”.")
    text = blocks.RichTextBlock(features=FEATURES, required=False)
    pictures = blocks.ListBlock(PictureBlock(), default=[], max_num=3)

    class Meta:
        icon = "list-ol"


class FactBlock(blocks.StructBlock):
    """A term or setting with its meaning or value."""

    term = blocks.CharBlock()
    meaning = blocks.RichTextBlock(features=INLINE)


class PartsBlock(blocks.StreamBlock):
    """The blocks of a guide, and of a version for some kinds of account."""

    heading = blocks.CharBlock(icon="title")
    text = blocks.RichTextBlock(features=FEATURES, icon="pilcrow")
    step = StepBlock()
    note = blocks.RichTextBlock(features=INLINE, icon="info-circle")
    warning = blocks.RichTextBlock(features=INLINE, icon="warning")
    facts = blocks.ListBlock(FactBlock(), icon="table")
    picture = PictureBlock()


class AccountBlock(blocks.StructBlock):
    """A version for some kinds of account. Readers see theirs; print shows all."""

    accounts = blocks.MultipleChoiceBlock(choices=Account.choices)
    parts = PartsBlock()

    class Meta:
        icon = "user"


class BodyBlock(PartsBlock):
    """The body of a guide."""

    account = AccountBlock()
