from __future__ import annotations

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
from portal.webmail.access import Desk, Desks, desks_of, uses_mail
from portal.webmail.mailbox import message_list
from portal.webmail.mailbox.message_actions import counted
from portal.webmail.mailbox_settings.forms import RuleForm
from portal.webmail.sidebar import Sidebar, sidebar

# Messages that a rule is applied to while somebody waits; more are left to a job.
AT_ONCE = 1000


@uses_mail
@require_safe
def index(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """The rules of a mailbox, in the order in which they are tried."""
    desks = desks_of(request)
    desk = desks.writable(mailbox_id)
    rows = desk.mailbox.rules.select_related("folder")
    context = {"sidebar": sidebar(desks, desk), "desk": desk, "rules": list(rows)}
    return render(request, "webmail/mailbox_settings/rules.html", context)


@uses_mail
@require_http_methods(["GET", "HEAD", "POST"])
def edit(
    request: HttpRequest, mailbox_id: int, rule_id: int | None = None
) -> HttpResponse:
    """A rule, new or kept already."""
    desks = desks_of(request)
    desk = desks.writable(mailbox_id)
    beside = sidebar(desks, desk)
    rule = _rule(desk, rule_id) if rule_id else Rule(mailbox=desk.mailbox)
    form = _form(request, rule, beside)
    if request.method == "POST" and form.is_valid() and _may_forward(desk, form):
        try:
            rules.save(form.fill(rule), by=desks.person)
        except PolicyError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Rule {rule.name} saved")
            return redirect("webmail:rules", mailbox_id=desk.mailbox.pk)
    context = {"sidebar": beside, "desk": desk, "form": form, "rule_id": rule_id}
    return render(request, "webmail/mailbox_settings/rule.html", context)


@uses_mail
@require_POST
def do(request: HttpRequest, mailbox_id: int, rule_id: int) -> HttpResponse:
    """Move a rule up or down, forget it, or apply it to the inbox as it is."""
    desks = desks_of(request)
    desk = desks.writable(mailbox_id)
    rule = _rule(desk, rule_id)
    name = request.POST.get("do")
    if name in ("up", "down"):
        rules.swap(rule, earlier=name == "up")
    elif name == "delete":
        rules.remove(rule, by=desks.person)
        messages.success(request, f"Rule {rule.name} deleted")
    elif name == "run":
        messages.success(request, _run(rule, desks, desk))
    else:
        raise Http404
    return redirect("webmail:rules", mailbox_id=desk.mailbox.pk)


def _run(rule: Rule, desks: Desks, desk: Desk) -> str:
    inbox = sidebar(desks, desk).inbox
    if message_list.count(inbox) > AT_ONCE:
        tasks.start_rule(rule.pk, inbox.pk)
        return f"Rule {rule.name} is being applied to the Inbox. It may take minutes."
    return counted(rules.run_now(rule, inbox), f"changed by the rule {rule.name}")


def _may_forward(desk: Desk, form: RuleForm) -> bool:
    """What a mailbox sends on leaves in its name."""
    if form.cleaned_data["forward_to"] and not desk.can_send:
        form.add_error(
            "forward_to", "You may not send from this mailbox, so leave this empty"
        )
    return not form.errors


def _rule(desk: Desk, rule_id: int) -> Rule:
    return get_object_or_404(Rule, pk=rule_id, mailbox=desk.mailbox)


def _form(request: HttpRequest, rule: Rule, beside: Sidebar) -> RuleForm:
    folders = beside.targets(beside.inbox)
    if request.method == "POST":
        return RuleForm(request.POST, folders=folders)
    return RuleForm.of(rule, folders)
