"""Rules for incoming mail."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from engine.registry.errors import PolicyError
from engine.storage import rules
from engine.storage.models import Rule
from portal.webmail import tasks
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.mailbox import message_list
from portal.webmail.mailbox.message_actions import count_phrase
from portal.webmail.mailbox_settings.forms import RuleForm
from portal.webmail.sidebar import Sidebar, sidebar

# Messages that a rule is applied to during a request; a job handles larger folders.
IMMEDIATE_LIMIT = 1000


@requires_mail
@require_safe
def index(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Lists the rules of a mailbox in the order in which they are applied."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    rows = access.mailbox.rules.select_related("folder")
    context = {
        "sidebar": sidebar(mailboxes, access),
        "access": access,
        "rules": list(rows),
    }
    return render(request, "webmail/mailbox_settings/rules.html", context)


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def edit(
    request: HttpRequest, mailbox_id: int, rule_id: int | None = None
) -> HttpResponse:
    """Adds or changes a rule."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    panel = sidebar(mailboxes, access)
    rule = _rule(access, rule_id) if rule_id else Rule(mailbox=access.mailbox)
    form = _form(request, rule, panel)
    context = {"sidebar": panel, "access": access, "form": form, "rule_id": rule_id}
    if request.method == "POST" and request.POST.get("do") == "try":
        context |= _try_out(form, rule, panel) if form.is_valid() else {}
        return render(request, "webmail/mailbox_settings/rule.html", context)
    if request.method == "POST" and form.is_valid() and _may_forward(access, form):
        try:
            rules.save(form.fill(rule), by=mailboxes.person)
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Rule {rule.name} saved")
            return redirect("webmail:rules", mailbox_id=access.mailbox.pk)
    return render(request, "webmail/mailbox_settings/rule.html", context)


def _try_out(form: RuleForm, rule: Rule, panel: Sidebar) -> dict[str, Any]:
    """Returns the template context of what the rule would do. Saves nothing."""
    changed = form.fill(rule)
    try:
        rules.check_makes_sense(changed)
    except PolicyError as refusal:
        form.add_error(None, str(refusal))
        return {}
    tried = rules.newest(panel.inbox)
    found = rules.try_out(changed, tried)
    return {"trial": found, "tried": len(tried), "tried_rule": changed}


@requires_mail
@require_POST
def do(request: HttpRequest, mailbox_id: int, rule_id: int) -> HttpResponse:
    """Moves a rule up or down, deletes it, or applies it to the Inbox now."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    rule = _rule(access, rule_id)
    name = request.POST.get("do")
    if name in ("up", "down"):
        rules.swap(rule, earlier=name == "up")
    elif name == "delete":
        rules.remove(rule, by=mailboxes.person)
        messages.success(request, f"Rule {rule.name} deleted")
    elif name == "run":
        messages.success(request, _apply_to_inbox(rule, mailboxes, access))
    else:
        raise Http404
    return redirect("webmail:rules", mailbox_id=access.mailbox.pk)


def _apply_to_inbox(
    rule: Rule, mailboxes: AccessibleMailboxes, access: MailboxAccess
) -> str:
    inbox = sidebar(mailboxes, access).inbox
    if message_list.count(inbox) > IMMEDIATE_LIMIT:
        tasks.start_rule(rule.pk, inbox.pk)
        return f"Rule {rule.name} is being applied to the Inbox. It may take minutes."
    return count_phrase(rules.run_now(rule, inbox), f"changed by the rule {rule.name}")


def _may_forward(access: MailboxAccess, form: RuleForm) -> bool:
    """Refuses forwarding without the right to send: it leaves in the mailbox's name."""
    if form.cleaned_data["forward_to"] and not access.can_send:
        form.add_error(
            "forward_to", "You may not send from this mailbox, so leave this empty"
        )
    return not form.errors


def _rule(access: MailboxAccess, rule_id: int) -> Rule:
    return get_object_or_404(Rule, pk=rule_id, mailbox=access.mailbox)


def _form(request: HttpRequest, rule: Rule, panel: Sidebar) -> RuleForm:
    folders = panel.targets(panel.inbox)
    if request.method == "POST":
        return RuleForm(request.POST, folders=folders)
    return RuleForm.of(rule, folders)
