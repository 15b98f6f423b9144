from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class PageRenderer(TemplatesSetting):
    """Makes `{{ form }}` a column of GOV.UK fields.

    Widgets on their own keep Django's templates, because Wagtail's admin needs them.
    """

    form_template_name = "ui/form.html"
    field_template_name = "ui/field.html"
