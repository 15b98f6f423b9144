"""The sample tickets of the demo community's helpdesk."""

from __future__ import annotations

from engine.registry.models import Person
from portal.demo.members import CHAMBERS, COUNCIL, COURT, SERVICE
from portal.helpdesk.actions import canned_replies, tickets
from portal.helpdesk.actions.tickets import Question
from portal.helpdesk.models import CannedReply, Entry, Ticket
from portal.helpdesk.status import Category, Priority, Source, Status

CODES = (
    "Dear {name},\n\nopen your account page, choose “Second factor” and set up the new "
    "phone. Until then, sign in with one of the recovery codes that you kept.\n\n"
    "{agent}\nHelpdesk, {phone}"
)
RETURNED = (
    "Dear {name},\n\nyour message could not be delivered. The notice that you got names "
    "the address and the reason. Compare the address with the directory, then send the "
    "message again.\n\n{agent}\nHelpdesk, {phone}"
)


def write(address_of: dict[str, Person]) -> None:
    """Opens the sample tickets and answers some. `address_of` maps local parts to people."""
    hugh = address_of["hugh"]
    _canned(hugh)
    _ask(
        address_of["ben"],
        "How do I give a colleague the listing mailbox?",
        "Priya can read the listing office's mailbox but cannot answer from it.",
        Category.MAILBOX,
    )
    answered = _ask(
        address_of["grace"],
        "A message to a court came back",
        "I wrote to listings@northgate and it came back. Is the address wrong?",
        Category.MESSAGE,
    )
    _answer(answered, "The address is listing@, without an s.", Status.SOLVED, by=hugh)
    waiting = _ask(
        address_of["helen"],
        "Our connector was changed",
        "We moved to a new tenant over the weekend and mail is refused since.",
        Category.CONNECTION,
        Priority.HIGH,
    )
    _answer(
        waiting,
        "Please send us the new tenant's identifier, from your provider's console.",
        Status.WAITING_FOR_REQUESTER,
        by=hugh,
    )
    call = _ask(
        address_of["david"],
        "New phone, no codes",
        "Called from chambers. Has recovery codes at home and will try those first.",
        Category.SIGN_IN,
        source=Source.CALL,
    )
    tickets.assign(call, hugh, by=hugh)
    tickets.move(call, Status.OPEN, by=hugh)
    # Treated as sent already, so that the first start sends no mail.
    Entry.objects.to_send().update(is_outgoing=False)


def people() -> dict[str, Person]:
    """Returns the people of the organisations that ask and answer, by local part."""
    organisations = (SERVICE, COURT, CHAMBERS, COUNCIL)
    rows = Person.objects.filter(
        organisation__name__in=[demo.name for demo in organisations]
    )
    return {person.address.partition("@")[0]: person for person in rows}


def _ask(
    person: Person,
    subject: str,
    text: str,
    category: Category,
    priority: Priority = Priority.NORMAL,
    *,
    source: Source = Source.FORM,
) -> Ticket:
    question = Question(
        subject=subject,
        text=text,
        address=person.address,
        name=person.name,
        person=person,
        category=category,
        priority=priority,
    )
    return tickets.open_ticket(question, source=source, by=person)


def _answer(ticket: Ticket, text: str, status: Status, *, by: Person) -> None:
    seen = ticket.entries.latest("pk").pk
    tickets.answer(ticket, text, status=status, seen=seen, by=by)


def _canned(agent: Person) -> None:
    for title, category, text in (
        ("New phone", Category.SIGN_IN, CODES),
        ("Message came back", Category.MESSAGE, RETURNED),
    ):
        canned_replies.save(
            CannedReply(), title=title, category=category, text=text, by=agent
        )
