from __future__ import annotations

from django.urls import include, path

from portal.webmail import installing
from portal.webmail.arrival_notices import views as arrival_notices
from portal.webmail.compose import (
    compose_views,
    find_people,
    new_message,
    pictures,
    reply_views,
    scheduled,
    script_endpoints,
    undo_send,
)
from portal.webmail.contacts import contact_views, group_views, import_export
from portal.webmail.linked_files import draft_views, own_files
from portal.webmail.live import views as live
from portal.webmail.mailbox import (
    attached_view,
    attachments_view,
    delivery_certificate,
    folder_bulk_actions,
    folder_view,
    message_actions,
    message_view,
    printing,
    recall,
    receipts,
    search,
    search_actions,
    sent_messages,
)
from portal.webmail.mailbox_settings import (
    export,
    folders,
    out_of_office,
    reading_preferences,
    rules,
    settings,
    text_templates,
    writing_preferences,
)
from portal.webmail.organising import all_inboxes, labels
from portal.webmail.organising import urls as organising
from portal.webmail.web_push import views as web_push

app_name = "webmail"

_DRAFT = "mailboxes/<int:mailbox_id>/write/<uuid:token>/"

script_urls = [
    path(f"{_DRAFT}people/", find_people.find_people, name="find_people"),
    path(f"{_DRAFT}save/", script_endpoints.autosave, name="autosave"),
    path(f"{_DRAFT}files/", script_endpoints.attach, name="attach"),
    path(f"{_DRAFT}pictures/", pictures.add, name="add_picture"),
    path(f"{_DRAFT}pictures/<int:file_id>/", pictures.show, name="picture"),
    path(f"{_DRAFT}files/remove/", script_endpoints.detach, name="detach"),
    path(f"{_DRAFT}links/", draft_views.add_page, name="linked_files"),
    path(f"{_DRAFT}links/add/", draft_views.add, name="add_linked_file"),
    path(f"{_DRAFT}links/remove/", draft_views.remove, name="remove_linked_file"),
    path(f"{_DRAFT}recipients/", script_endpoints.recipients, name="recipients"),
    path(
        f"{_DRAFT}check/",
        script_endpoints.check_before_sending,
        name="check_before_sending",
    ),
]

contact_urls = [
    path("", contact_views.contact_list, name="contacts"),
    path("add/", contact_views.add, name="add_contact"),
    path("suggest/", contact_views.suggest, name="suggest"),
    path("import/", import_export.preview, name="import_contacts"),
    path("import/<str:token>/", import_export.confirm, name="confirm_import"),
    path("export/<str:kind>/", import_export.export, name="export_contacts"),
    path("<int:contact_id>/", contact_views.edit, name="contact"),
    path("<int:contact_id>/delete/", contact_views.delete, name="delete_contact"),
    path("groups/add/", group_views.add, name="add_contact_group"),
    path("groups/<int:group_id>/", group_views.show, name="contact_group"),
    path("groups/<int:group_id>/rename/", group_views.rename, name="rename_group"),
    path("groups/<int:group_id>/delete/", group_views.delete, name="delete_group"),
    path(
        "groups/<int:group_id>/remove/<int:contact_id>/",
        group_views.remove,
        name="remove_from_group",
    ),
]

preference_urls = [
    path("", writing_preferences.show, name="writing_preferences"),
    path(
        "mailboxes/<int:mailbox_id>/signatures/add/",
        writing_preferences.add_signature,
        name="add_signature",
    ),
    path(
        "signatures/<int:signature_id>/",
        writing_preferences.edit_signature,
        name="signature",
    ),
    path(
        "signatures/<int:signature_id>/delete/",
        writing_preferences.delete_signature,
        name="delete_signature",
    ),
]

reading_urls = [
    path("", reading_preferences.show, name="reading_preferences"),
    path("density/", reading_preferences.set_density, name="set_density"),
]

template_urls = [
    path("add/", text_templates.add, name="add_text_template"),
    path(
        "add/organisation/",
        text_templates.add_for_organisation,
        name="add_organisation_template",
    ),
    path("<int:template_id>/", text_templates.edit, name="text_template"),
    path(
        "<int:template_id>/delete/", text_templates.delete, name="delete_text_template"
    ),
]

notice_urls = [
    path("browsers/", web_push.turn_on, name="push_on"),
    path("browsers/renew/", web_push.renew, name="push_renew"),
    path("browsers/<int:subscription_id>/", web_push.remove, name="push_remove"),
    path("", arrival_notices.show, name="arrival_notices"),
    path("link/", arrival_notices.send_link, name="send_proof_link"),
    path(
        "confirm/<str:token>/",
        arrival_notices.prove,
        name="prove_everyday_address",
    ),
]

live_urls = [
    path("events/", live.events, name="live_events"),
    path("numbers/", live.numbers, name="live_numbers"),
    path("mailboxes/<int:mailbox_id>/", live.mailbox, name="live_mailbox"),
    path("folders/<int:folder_id>/", folder_view.live, name="live_folder"),
    path("all/", all_inboxes.live, name="live_all_inboxes"),
    path("mailboxes/<int:mailbox_id>/search/", search.live, name="live_search"),
    path(
        "mailboxes/<int:mailbox_id>/labels/<int:label_id>/",
        labels.live,
        name="live_label",
    ),
]

urlpatterns = [
    path("live/", include(live_urls)),
    path("arrival-notices/", include(notice_urls)),
    path("contacts/", include(contact_urls)),
    path("writing/", include(preference_urls)),
    path("reading/", include(reading_urls)),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("service-worker.js", installing.service_worker, name="service_worker"),
    path("offline/", installing.offline, name="offline"),
    path("", include(organising)),
    path("writing/templates/", include(template_urls)),
    path("scheduled/", scheduled.index, name="scheduled"),
    path("linked-files/", own_files.index, name="own_linked_files"),
    path("linked-files/<int:file_id>/stop/", own_files.stop, name="stop_linked_file"),
    path("", folder_view.folder, name="folder"),
    path("folders/<int:folder_id>/", folder_view.folder, name="folder"),
    path("folders/<int:folder_id>/act/", message_actions.act, name="act"),
    path(
        "folders/<int:folder_id>/undo/",
        message_actions.undo_last_move,
        name="undo_move",
    ),
    path(
        "folders/<int:folder_id>/all/",
        folder_bulk_actions.act_on_folder,
        name="folder_bulk_actions",
    ),
    path("folders/<int:folder_id>/rename/", folders.rename, name="folder_rename"),
    path("folders/<int:folder_id>/delete/", folders.remove, name="folder_delete"),
    path("mailboxes/<int:mailbox_id>/", folder_view.mailbox, name="mailbox"),
    path("mailboxes/<int:mailbox_id>/search/", search.search, name="search"),
    path(
        "mailboxes/<int:mailbox_id>/search/not-whole/",
        search.not_whole,
        name="search_not_whole",
    ),
    path(
        "mailboxes/<int:mailbox_id>/search/act/", search_actions.act, name="search_act"
    ),
    path(
        "mailboxes/<int:mailbox_id>/search/undo/",
        search_actions.undo_last_move,
        name="search_undo",
    ),
    path("mailboxes/<int:mailbox_id>/withdrawn/", recall.withdrawn, name="withdrawn"),
    path(
        "withdrawn/<int:copy_id>/", recall.withdrawn_message, name="withdrawn_message"
    ),
    path("mailboxes/<int:mailbox_id>/settings/", settings.settings, name="settings"),
    path(
        "mailboxes/<int:mailbox_id>/away/",
        out_of_office.out_of_office_page,
        name="out_of_office",
    ),
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
    path("messages/<int:message_id>/", message_view.read, name="read"),
    path("messages/<int:message_id>/delivery/", sent_messages.story, name="delivery"),
    path("messages/<int:message_id>/recall/", recall.recall_page, name="recall"),
    path("deliveries/", sent_messages.refresh, name="refresh_deliveries"),
    path("messages/<int:message_id>/content/", message_view.content, name="content"),
    path("messages/<int:message_id>/original/", message_view.original, name="original"),
    path(
        "messages/<int:message_id>/certificate/",
        delivery_certificate.make,
        name="certificate",
    ),
    path("messages/<int:message_id>/print/", printing.printed, name="print"),
    path("messages/<int:message_id>/source/", message_view.source, name="source"),
    path("messages/<int:message_id>/parts/<str:path>/", message_view.part, name="part"),
    path(
        "messages/<int:message_id>/parts/<str:path>/preview/",
        attachments_view.preview,
        name="preview",
    ),
    path(
        "messages/<int:message_id>/files/", attachments_view.all_files, name="all_files"
    ),
    path(
        "messages/<int:message_id>/attached/<str:path>/",
        attached_view.read,
        name="attached",
    ),
    path(
        "messages/<int:message_id>/attached/<str:path>/content/",
        attached_view.content,
        name="attached_content",
    ),
    path("messages/<int:message_id>/receipt/", receipts.answer, name="receipt"),
    path("messages/<int:message_id>/reply/", reply_views.reply, name="reply"),
    path(
        "messages/<int:message_id>/reply-all/", reply_views.reply_all, name="reply_all"
    ),
    path("messages/<int:message_id>/forward/", reply_views.forward, name="forward"),
    path(
        "messages/<int:message_id>/contact/",
        contact_views.add_sender,
        name="add_sender",
    ),
    path("messages/<int:message_id>/again/", reply_views.again, name="edit_as_new"),
    path("sent/<int:scheduled_send_id>/undo/", undo_send.undo_send, name="undo_send"),
    path("write/", new_message.compose, name="compose"),
    path("mailboxes/<int:mailbox_id>/write/", new_message.compose, name="compose"),
    path(_DRAFT, compose_views.draft, name="draft"),
    *script_urls,
]
