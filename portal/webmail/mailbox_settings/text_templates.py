"""Pages of templates: one's own, and the organisation's for its administrators."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from engine.registry.errors import PolicyError
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.compose import text_templates
from portal.webmail.mailbox_settings.forms import TextTemplateForm
from portal.webmail.models import TextTemplate
from portal.webmail.sidebar import render_with_sidebar


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Adds a template of one's own."""
    person = accessible_mailboxes(request).person
    return _save(request, TextTemplate(person=person))


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def add_for_organisation(request: HttpRequest) -> HttpResponse:
    """Adds a template for everybody in the organisation, as its administrator."""
    person = accessible_mailboxes(request).person
    organisation = text_templates.administered_by(person)
    if organisation is None:
        raise Http404
    return _save(request, TextTemplate(organisation=organisation))


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, template_id: int) -> HttpResponse:
    """Changes a template."""
    return _save(request, _template(request, template_id))


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, template_id: int) -> HttpResponse:
    """Deletes a template after confirmation."""
    template = _template(request, template_id)
    if request.method == "POST":
        template.delete()
        messages.success(request, "Template deleted.")
        return redirect("webmail:writing_preferences")
    context = {"template": template, "place": "writing_preferences"}
    return render_with_sidebar(
        request, "webmail/mailbox_settings/text_template_delete.html", context
    )


def _save(request: HttpRequest, template: TextTemplate) -> HttpResponse:
    initial = {"name": template.name, "text": template.text}
    posted = request.POST if request.method == "POST" else None
    form = TextTemplateForm(posted, initial=initial)
    if form.is_valid():
        try:
            text_templates.save(template, **form.cleaned_data)
        except PolicyError as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "Template saved.")
            return redirect("webmail:writing_preferences")
    context = {"form": form, "template": template, "place": "writing_preferences"}
    return render_with_sidebar(
        request, "webmail/mailbox_settings/text_template.html", context
    )


def _template(request: HttpRequest, template_id: int) -> TextTemplate:
    person = accessible_mailboxes(request).person
    return get_object_or_404(text_templates.changeable_by(person), pk=template_id)
