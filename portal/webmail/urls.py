from __future__ import annotations

from django.urls import include, path

from portal.webmail.views import (
    act,
    contact_files,
    contact_groups,
    contacts,
    export,
    find_people,
    folder,
    folders,
    found,
    habits,
    meanwhile,
    read,
    reply,
    rules,
    search,
    sent,
    settings,
    whole,
    write,
)

app_name = "webmail"

_DRAFT = "mailboxes/<int:mailbox_id>/write/<uuid:token>/"

meanwhile_written = [
    path(f"{_DRAFT}people/", find_people.find_people, name="find_people"),
    path(f"{_DRAFT}save/", meanwhile.autosave, name="autosave"),
    path(f"{_DRAFT}files/", meanwhile.attach, name="attach"),
    path(f"{_DRAFT}files/remove/", meanwhile.detach, name="detach"),
    path(f"{_DRAFT}recipients/", meanwhile.recipients, name="recipients"),
]

book = [
    path("", contacts.contact_list, name="contacts"),
    path("add/", contacts.add, name="add_contact"),
    path("suggest/", contacts.suggest, name="suggest"),
    path("import/", contact_files.look, name="import_contacts"),
    path("import/<str:token>/", contact_files.take, name="take_contacts"),
    path("export/<str:kind>/", contact_files.export, name="export_contacts"),
    path("<int:contact_id>/", contacts.edit, name="contact"),
    path("<int:contact_id>/delete/", contacts.delete, name="delete_contact"),
    path("groups/add/", contact_groups.add, name="add_contact_group"),
    path("groups/<int:group_id>/", contact_groups.show, name="contact_group"),
    path("groups/<int:group_id>/rename/", contact_groups.rename, name="rename_group"),
    path("groups/<int:group_id>/delete/", contact_groups.delete, name="delete_group"),
    path(
        "groups/<int:group_id>/remove/<int:contact_id>/",
        contact_groups.remove,
        name="remove_from_group",
    ),
]

writing_habits = [
    path("", habits.show, name="habits"),
    path(
        "mailboxes/<int:mailbox_id>/signatures/add/",
        habits.add_signature,
        name="add_signature",
    ),
    path("signatures/<int:signature_id>/", habits.edit_signature, name="signature"),
    path(
        "signatures/<int:signature_id>/delete/",
        habits.delete_signature,
        name="delete_signature",
    ),
]

urlpatterns = [
    path("contacts/", include(book)),
    path("writing/", include(writing_habits)),
    path("", folder.folder, name="folder"),
    path("folders/<int:folder_id>/", folder.folder, name="folder"),
    path("folders/<int:folder_id>/act/", act.act, name="act"),
    path("folders/<int:folder_id>/undo/", act.take_back, name="undo"),
    path("folders/<int:folder_id>/all/", whole.whole, name="whole"),
    path("folders/<int:folder_id>/rename/", folders.rename, name="folder_rename"),
    path("folders/<int:folder_id>/delete/", folders.remove, name="folder_delete"),
    path("mailboxes/<int:mailbox_id>/", folder.mailbox, name="mailbox"),
    path("mailboxes/<int:mailbox_id>/search/", search.search, name="search"),
    path("mailboxes/<int:mailbox_id>/search/act/", found.act, name="found_act"),
    path("mailboxes/<int:mailbox_id>/search/undo/", found.take_back, name="found_undo"),
    path("mailboxes/<int:mailbox_id>/settings/", settings.settings, name="settings"),
    path("mailboxes/<int:mailbox_id>/away/", settings.away, name="away"),
    path("mailboxes/<int:mailbox_id>/rules/", rules.index, name="rules"),
    path("mailboxes/<int:mailbox_id>/rules/new/", rules.edit, name="rule_new"),
    path("mailboxes/<int:mailbox_id>/rules/<int:rule_id>/", rules.edit, name="rule"),
    path(
        "mailboxes/<int:mailbox_id>/rules/<int:rule_id>/do/", rules.do, name="rule_do"
    ),
    path("mailboxes/<int:mailbox_id>/copies/", export.exports, name="exports"),
    path(
        "mailboxes/<int:mailbox_id>/copies/<uuid:token>/", export.fetch, name="export"
    ),
    path("mailboxes/<int:mailbox_id>/folder/", folders.create, name="folder_new"),
    path("messages/<int:message_id>/", read.read, name="read"),
    path("messages/<int:message_id>/content/", read.content, name="content"),
    path("messages/<int:message_id>/original/", read.original, name="original"),
    path("messages/<int:message_id>/print/", read.printed, name="print"),
    path("messages/<int:message_id>/source/", read.source, name="source"),
    path("messages/<int:message_id>/parts/<str:path>/", read.part, name="part"),
    path("messages/<int:message_id>/reply/", reply.reply, name="reply"),
    path("messages/<int:message_id>/reply-all/", reply.reply_all, name="reply_all"),
    path("messages/<int:message_id>/forward/", reply.forward, name="forward"),
    path("messages/<int:message_id>/contact/", contacts.add_sender, name="add_sender"),
    path("messages/<int:message_id>/again/", reply.again, name="again"),
    path("sent/<int:departure_id>/undo/", sent.take_back, name="take_back"),
    path("write/", write.compose, name="compose"),
    path("mailboxes/<int:mailbox_id>/write/", write.compose, name="compose"),
    path(_DRAFT, write.draft, name="draft"),
    *meanwhile_written,
]
