"""Has this browser notified, renews that at a later sign-in, and ends it for any browser."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from engine.registry.errors import PolicyError
from portal.sessions import store
from portal.sessions.user_agents import browser_of
from portal.webmail.access import accessible_mailboxes, requires_mail
from portal.webmail.models import PushSubscription
from portal.webmail.web_push import subscriptions
from portal.webmail.web_push.subscriptions import Browser


@requires_mail
@require_POST
def turn_on(request: HttpRequest) -> HttpResponse:
    """Subscribes this browser, for scripts: answers with the sentence to show."""
    mailboxes = accessible_mailboxes(request)
    chosen = set(request.POST.getlist("mailboxes"))
    browser = Browser(
        endpoint=request.POST.get("endpoint", ""),
        p256dh=request.POST.get("p256dh", ""),
        auth=request.POST.get("auth", ""),
        session_id=store.id_of(request),
        name=browser_of(request.META.get("HTTP_USER_AGENT", "")),
    )
    try:
        subscriptions.subscribe(
            mailboxes.person,
            browser,
            mailboxes=[
                one.mailbox
                for one in mailboxes.readable
                if str(one.mailbox.pk) in chosen
            ],
        )
    except PolicyError as refusal:
        return JsonResponse({"refusal": str(refusal)}, status=400)
    messages.success(request, "This browser is notified of new mail.")
    return JsonResponse({})


@requires_mail
@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """Renews this browser's subscription, for scripts; 410 where it is over."""
    is_on = subscriptions.renew(
        accessible_mailboxes(request).person,
        endpoint=request.POST.get("endpoint", ""),
        session_id=store.id_of(request),
    )
    return HttpResponse(status=204 if is_on else 410)


@requires_mail
@require_POST
def remove(request: HttpRequest, subscription_id: int) -> HttpResponse:
    """Ends the notifications of one of the person's browsers."""
    person = accessible_mailboxes(request).person
    found = PushSubscription.objects.filter(pk=subscription_id, person=person).first()
    if found is None:
        raise Http404
    subscriptions.remove(found, by=person)
    messages.success(request, f"{found.browser} is no longer notified.")
    return redirect("webmail:arrival_notices")
