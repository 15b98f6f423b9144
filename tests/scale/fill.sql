-- A whole community, written directly. $organisations, $people and $messages say how
-- large it is. Ids begin at 1000; those of group mailboxes at ten million.
--
-- A tenth of the people is in the first organisation and a tenth in the next ten, since
-- lists are slowest where they are longest. The first person has a tenth of all messages.

-- Foreign keys are not checked row by row, which would take most of the time.
SET LOCAL session_replication_role = replica;
SET LOCAL work_mem = '256MB';
SET LOCAL maintenance_work_mem = '512MB';

-- As engine.folding.columns, for names of plain letters; " | " stands between two texts.
CREATE FUNCTION pg_temp.words(text) RETURNS text IMMUTABLE LANGUAGE sql AS
    'SELECT '' '' || btrim(regexp_replace(lower($$1), ''[^a-z0-9|]+'', '' '', ''g''))';

CREATE TEMP TABLE word ON COMMIT DROP AS SELECT row_number() OVER () - 1 AS w, word FROM unnest(ARRAY[
    'bundle', 'counsel', 'court', 'listing', 'sentence', 'witness', 'statement', 'exhibit',
    'trial', 'disclosure', 'schedule', 'adjourned', 'application', 'bail', 'custody',
    'interpreter', 'video', 'link', 'solicitor', 'chambers', 'usher', 'clerk', 'judge',
    'jury', 'verdict', 'appeal', 'order', 'notice', 'service']) AS word;

CREATE TEMP TABLE org ON COMMIT DROP AS
SELECT o, 1000 + o AS id, kind,
    CASE WHEN kind = 'webmail' THEN 'o' || o || '.secure.example'
         ELSE 'o' || o || '.example' END AS own_domain,
    CASE WHEN kind = 'webmail' THEN 'o' || o || '.secure.example'
         WHEN kind = 'trusted_domain' THEN 'o' || o || '.example'
         ELSE 'o' || o || '.example.secure.example' END AS domain
FROM (SELECT o, CASE WHEN o % 10 < 7 THEN 'webmail' WHEN o % 100 = 99 THEN 'trusted_domain'
                     WHEN o % 10 < 9 THEN 'smtp' ELSE 'cloud_gateway' END AS kind
      FROM generate_series(0, $organisations - 1) o) one;
ALTER TABLE org ADD PRIMARY KEY (o);

INSERT INTO registry_organisation
    (id, name, kind, account_type, status, town, mfa_required, created_at, parent_id, words)
SELECT *, pg_temp.words(name) FROM (SELECT id,
    (ARRAY['Harbour', 'Northfield', 'Chapel', 'Bridge', 'Castle', 'River', 'Market', 'Abbey',
           'Forest', 'Mill'])[1 + o * 7 % 10] || ' '
    || (ARRAY['Chambers', 'Law', 'Court', 'Trust', 'Council', 'Partners'])[1 + o % 6] || ' ' || o
        AS name,
    (ARRAY['court', 'law_firm', 'barrister', 'charity', 'council', 'health'])[1 + o % 6],
    kind,
    CASE WHEN o % 50 = 49 THEN 'suspended' WHEN o % 200 = 197 THEN 'pending' ELSE 'active' END,
    (ARRAY['Leeds', 'Cardiff', 'London', 'Hull', 'York', 'Bath'])[1 + o % 6],
    o % 7 = 0, now() - o * interval '1 hour', CASE WHEN o BETWEEN 1 AND 40 THEN 1000 END
FROM org) named;

INSERT INTO registry_domain
    (organisation_id, member_domain, community_domain, verified_at, created_at, words)
SELECT *, pg_temp.words(own_domain || ' | ' || domain) FROM (
    SELECT id, own_domain, domain, now() AS verified_at, now() FROM org
    UNION ALL
    SELECT id, 'old-' || own_domain, 'old-' || domain,
        CASE WHEN o % 40 > 0 THEN now() END, now() FROM org WHERE o % 20 = 0) named;
INSERT INTO connecting_domaincheck (domain_id, checked_at, found, advice)
SELECT id, now(), '[]', CASE WHEN verified_at IS NULL THEN 'Add the record.' ELSE '' END
FROM registry_domain;

INSERT INTO registry_connection
    (id, organisation_id, name, is_active, proof, source_networks, certificate_name,
     provider, tenant_id, next_hop_host, next_hop_port, next_hop_tls_name, strips_suffix,
     subject_tag, created_at)
SELECT id, id, 'Main connection', o % 90 > 0,
    CASE WHEN kind = 'cloud_gateway' THEN 'cloud' WHEN o % 3 = 0 THEN 'source'
         ELSE 'credential' END,
    CASE WHEN kind = 'smtp' AND o % 3 = 0
         THEN jsonb_build_array('10.' || o / 250 % 250 || '.' || o % 250 || '.0/24')
         ELSE '[]' END, '',
    CASE WHEN kind = 'cloud_gateway' THEN 'microsoft_365' ELSE '' END,
    CASE WHEN kind = 'cloud_gateway' THEN md5('tenant' || o) ELSE '' END,
    'mx.' || own_domain, 25, '', true, '', now()
FROM org WHERE kind <> 'webmail';
INSERT INTO registry_connectioncredential
    (connection_id, username, digest, created_at, known_networks, keyed_by)
SELECT id, 'o' || id, md5('c' || id) || md5('d' || id), now(), '[]', 'scale'
FROM registry_connection WHERE proof = 'credential';
INSERT INTO connecting_watch (connection_id, looked_at, certificate_ends_at, fault, warned_of)
SELECT id, now(), now() + id % 400 * interval '1 day',
    CASE WHEN id % 60 = 0 THEN 'It does not answer.' ELSE '' END, ''
FROM registry_connection;

CREATE TEMP TABLE pers ON COMMIT DROP AS
SELECT n, 1000 + n AS id, o, first || ' ' || last AS name,
    lower(first || '.' || last) || n || '@' || domain AS address, kind = 'webmail' AS is_hosted
FROM (
    SELECT n, CASE n % 10 WHEN 0 THEN 0 WHEN 1 THEN least(1 + n / 10 % 10, $organisations - 1)
                   ELSE n % $organisations END AS o,
        (ARRAY['Jane', 'John', 'David', 'Susan', 'Paul', 'Sarah', 'Mark', 'Karen', 'Andrew',
               'Aisha', 'Peter', 'Linda', 'James', 'Emma', 'Robert', 'Laura', 'Priya', 'Tom',
               'Nia', 'Omar'])[1 + n / 3 % 20] AS first,
        initcap(chr(97 + n / 7 % 26) || chr(97 + n / 11 % 26))
        || (ARRAY['smith', 'jones', 'taylor', 'brown', 'williams', 'wilson', 'davies', 'patel',
                  'wright', 'evans', 'walker', 'white', 'green', 'hall', 'wood', 'khan',
                  'hughes', 'begum'])[1 + n / 13 % 18] AS last
    FROM generate_series(0, $people - 1) n) one
JOIN org USING (o);
ALTER TABLE pers ADD PRIMARY KEY (n);
INSERT INTO registry_person
    (id, password, is_superuser, address, organisation_id, name, job_title, phone, town,
     is_ex_directory, everyday_address, is_active, created_at, first_signed_in_at,
     session_generation, words)
SELECT *, pg_temp.words(name || ' | ' || address || ' | ' || title) FROM (
    SELECT id, '!', false, address, 1000 + o, name,
        (ARRAY['Clerk', 'Solicitor', 'Officer', 'Manager'])[1 + n % 4] AS title, '', '',
        n % 50 = 7, 'p' || n || '@home.example', n % 100 <> 99,
        now() - n * interval '1 minute', now(), 0
    FROM pers) named;
INSERT INTO registry_organisationrole (person_id, organisation_id, role)
SELECT 1000 + n, organisation_id, 'administrator' FROM (
    SELECT min(n) AS n, 1000 + o AS organisation_id FROM pers GROUP BY o
    UNION SELECT max(n), 1000 + o FROM pers GROUP BY o) one;
INSERT INTO registry_apppassword
    (person_id, name, digest, created_at, known_networks, keyed_by)
SELECT id, 'Phone', md5('a' || n) || md5('b' || n), now(), '[]', 'scale'
FROM pers WHERE n % 5 = 0;
INSERT INTO registry_alias (address, target, organisation_id, words)
SELECT 'j' || address, address, 1000 + o, pg_temp.words('j' || address)
FROM pers WHERE n % 20 = 0;

INSERT INTO registry_mailbox
    (id, address, name, kind, organisation_id, owner_id, is_active, is_published,
     quota_bytes, used_bytes, created_at, words)
SELECT id, address, name, 'personal', 1000 + o, id, true, true, 5368709120, 0, now(),
    pg_temp.words(name || ' | ' || address)
FROM pers WHERE is_hosted;
INSERT INTO registry_mailbox
    (id, address, name, kind, organisation_id, is_active, is_published, quota_bytes,
     used_bytes, created_at, words)
SELECT 10000000 + row_number() OVER (), 'team' || t || '@' || domain, 'Team ' || t, 'group',
    id, t % 50 < 49, true, 5368709120, 0, now(),
    pg_temp.words('Team ' || t || ' | team' || t || '@' || domain)
FROM org, LATERAL generate_series(1, CASE WHEN o = 0 THEN 1 + $organisations / 5 ELSE 2 END) t
WHERE kind = 'webmail';
INSERT INTO registry_grant (mailbox_id, person_id, can_read, can_write, can_send)
SELECT mailbox.id, person.id, true, true, true FROM registry_mailbox mailbox
JOIN LATERAL (SELECT id FROM registry_person
              WHERE organisation_id = mailbox.organisation_id
              ORDER BY id OFFSET CASE WHEN mailbox.organisation_id = 1000
                                      THEN mailbox.id % 400 ELSE 0 END LIMIT 5) person ON true
WHERE mailbox.kind = 'group';

INSERT INTO registry_distributionlist
    (id, address, name, organisation_id, posting, is_active, is_published, created_at,
     words)
SELECT 1000 + row_number() OVER (), 'list' || t || '@' || domain, 'List ' || t, id,
    'organisation', true, true, now(),
    pg_temp.words('List ' || t || ' | list' || t || '@' || domain)
FROM org, LATERAL generate_series(1, CASE WHEN o = 0 THEN 1 + $organisations / 20 ELSE 1 END) t;
INSERT INTO registry_listmember (distribution_list_id, address, failures, last_failure)
SELECT 1001, address, CASE WHEN n % 1000 = 0 THEN 4 ELSE 0 END, '' FROM pers
WHERE n < $people / 20
UNION ALL
SELECT list.id, person.address, 0, '' FROM registry_distributionlist list
JOIN LATERAL (SELECT address FROM registry_person
              WHERE organisation_id = list.organisation_id ORDER BY id LIMIT 10) person ON true
WHERE list.id > 1001;

INSERT INTO audit_entry
    (at, event, subject_kind, subject_key, subject_name, organisation_key, by_key, by_name,
     detail, previous_digest, digest, words)
SELECT *, pg_temp.words(event || ' | ' || address || ' | ' || by_name) FROM (
    SELECT now() - (2 * $people - e) * interval '20 seconds',
        (ARRAY['person.added', 'person.edited', 'mailbox.added', 'app_password.added',
               'person.suspended', 'list.member_added'])[1 + e / 5 % 6] AS event,
        'registry.person', id::text, address, (1000 + o)::text, (1000 + e % 97)::text,
        'clerk' || e % 97 || '@secure.example' AS by_name, '{"fields": ["name"]}'::jsonb,
        md5('e' || e - 1) || md5('f' || e - 1), md5('e' || e) || md5('f' || e)
    FROM generate_series(0, 2 * $people - 1) e JOIN pers ON n = e % $people) named;

INSERT INTO helpdesk_ticket
    (id, subject, status, source, category, priority, requester_name, requester_address,
     requester_phone, is_confirmed, created_at, updated_at, first_answered_at, solved_at,
     first_answer_minutes, solve_minutes, first_answer_due_at, solve_due_at, due_at,
     stopped_minutes, organisation_id, requester_id)
SELECT 1000 + t, 'My message did not arrive ' || t, status,
    'form', (ARRAY['message', 'sign_in', 'mailbox', 'people', 'other'])[1 + t % 5],
    'normal', name, address, '', true, at, at, at + interval '1 hour',
    CASE WHEN status IN ('closed', 'solved') THEN at + interval '1 day' END, 60, 480,
    at + interval '4 hours', at + interval '3 days',
    CASE WHEN status IN ('new', 'open') THEN at + interval '3 days' END, 0, 1000 + o, id
FROM (SELECT t, now() - ($people / 8 - t) * interval '10 minutes' AS at,
        CASE WHEN t > $people / 8 * 0.99 THEN
            (ARRAY['new', 'open', 'waiting_for_requester'])[1 + t % 3]
            WHEN t % 20 = 0 THEN 'solved' ELSE 'closed' END AS status
      FROM generate_series(0, $people / 8 - 1) t) one
JOIN pers ON n = CASE WHEN t % 100 = 0 THEN 0 ELSE t * 8 END;
INSERT INTO helpdesk_entry
    (ticket_id, kind, author_name, author_address, text, created_at, message_id,
     is_outgoing, reference, failure)
SELECT id, kind, requester_name, requester_address, 'It was sent on Monday.', created_at,
    '', false, '', ''
FROM helpdesk_ticket, unnest(ARRAY['request', 'reply', 'event']) kind;
INSERT INTO helpdesk_collectedmessage
    (stored_id, message_id, from_address, subject, outcome, reason, collected_at, ticket_id)
SELECT id, '<' || id || '@x.example>', requester_address, subject,
    CASE WHEN id % 10 = 0 THEN 'ignored' ELSE 'opened' END, '', created_at, id
FROM helpdesk_ticket;
INSERT INTO helpdesk_cannedreply (title, category, text)
SELECT 'Reply ' || r, 'other', 'Use the app.' FROM generate_series(1, 60) r;

INSERT INTO onboarding_application
    (id, reference, status, submitted_at, organisation_name, kind, town, is_sole_user,
     account_type, member_domain, community_domain, next_hop_host, next_hop_port, proof,
     source_networks, certificate_name, tenant_id, applicant_name, applicant_job_title,
     applicant_phone, everyday_address, decided_at, decided_by_id, decision_reason,
     organisation_id, changed_at, provider, recommendation, second_address,
     second_job_title, second_name, typed, words)
SELECT org.id, to_char(org.o, 'FM0000') || '-' || upper(substr(md5('r' || org.o), 1, 4)),
    CASE WHEN org.o % 20 = 19 THEN 'submitted' ELSE 'provisioned' END,
    now() - org.o * interval '1 hour', name, registry_organisation.kind, town, false,
    account_type, own_domain, domain, 'mx.' || own_domain, 25, 'credential', '[]', '', '',
    'Jane Doe', 'Clerk', '', 'jane' || org.o || '@home.example',
    CASE WHEN org.o % 20 < 19 THEN now() END, CASE WHEN org.o % 20 < 19 THEN 1000 END,
    CASE WHEN org.o % 20 < 19 THEN 'Known.' ELSE '' END,
    CASE WHEN org.o % 20 < 19 THEN org.id END, now(), '', '', '', '', '', '{}',
    pg_temp.words(name || ' | ' || own_domain || ' | ' || town)
FROM org JOIN registry_organisation USING (id);

-- Mail: everyone's goes to 60,000 mailboxes at most, with the standard folders.
CREATE TEMP TABLE box ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY n) - 1 AS b, id, o FROM pers WHERE is_hosted
ORDER BY n LIMIT 60000;
ALTER TABLE box ADD PRIMARY KEY (b);
INSERT INTO storage_folder (id, mailbox_id, role, name)
SELECT 100 * b + r, id, role, initcap(role) FROM box,
    unnest(ARRAY['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash'])
    WITH ORDINALITY AS roles(role, r);
INSERT INTO storage_folder (id, mailbox_id, role, name)
SELECT 10 + f, 1000, 'custom', 'Case ' || f FROM generate_series(1, 30) f;
INSERT INTO storage_folder (id, mailbox_id, role, name)
SELECT 50000000 + 10 * (id - 10000000) + r, id, role, initcap(role) FROM registry_mailbox,
    unnest(ARRAY['inbox', 'drafts', 'sent', 'archive', 'junk', 'trash'])
    WITH ORDINALITY AS roles(role, r)
WHERE kind = 'group';

CREATE TEMP TABLE written ON COMMIT DROP AS
SELECT t, string_agg(word, ' ' ORDER BY i) || ' hearing' AS body,
    string_agg(CASE WHEN i < 5 THEN word END, ' ' ORDER BY i) AS subject,
    string_agg(DISTINCT '''' || word || ''':' || 1 + w, ' ')::tsvector
    || '''hearing'' ''jane'' ''sender=jane'''::tsvector AS words
FROM generate_series(0, 999) t, generate_series(1, 80) i,
    LATERAL (SELECT * FROM word WHERE w = (t * 31 + i * i * 17 + t * i) % 29) chosen
GROUP BY t;
ALTER TABLE written ADD PRIMARY KEY (t);

CREATE TEMP TABLE mail ON COMMIT DROP AS
SELECT m, 1 + m AS id, box.id AS mailbox_id, box.o AS mailbox_org, sender.id AS sender_id,
    sender.o AS sender_org, sender.name AS from_name, sender.address AS from_address,
    recipient.address AS to_address, subject, body, words, t,
    upper(substr(md5('m' || m), 1, 20)) AS reference,
    now() - ($messages - m) * (interval '6 days 20 hours' / $messages) AS at,
    CASE WHEN f BETWEEN 0 AND 3 THEN 100 * b + (ARRAY[3, 4, 5, 6])[1 + f]
         WHEN f = 4 AND b = 0 THEN 11 + m / 10 % 30 ELSE 100 * b + 1 END AS folder_id
FROM (SELECT m, m / 10 % 20 AS f, m % 1000 AS t,
        CASE m % 10 WHEN 0 THEN 0
                    WHEN 1 THEN m / 10 % least(1000, boxes)
                    ELSE m * 7919 % boxes END AS b
      FROM generate_series(0::bigint, $messages - 1) m,
           (SELECT count(*) AS boxes FROM box) counted) one
JOIN box USING (b) JOIN written USING (t)
JOIN pers recipient ON recipient.id = box.id
JOIN pers sender ON sender.n = m * 104729 % $people;

INSERT INTO storage_content (id, format, size, body_digest, header, body, blob_key, created_at)
SELECT id, 1, 200 + length(body), md5('x' || m) || md5('y' || m),
    convert_to('From: ' || from_name || ' <' || from_address || E'>\r\nTo: ' || to_address
               || E'\r\nSubject: ' || subject || E'\r\nMessage-ID: <' || m
               || E'@x.example>\r\n\r\n', 'UTF8'),
    convert_to(body, 'UTF8'), '', at
FROM mail;
INSERT INTO storage_message
    (id, mailbox_id, folder_id, content_id, envelope_sender, received_at, from_name,
     from_address, to_summary, subject, message_id, size, has_attachments, is_read,
     is_flagged, is_answered, is_draft, thread, is_indexed, expires_at)
SELECT id, mailbox_id, folder_id, id, from_address, at, from_name, from_address,
    to_address, subject, m || '@x.example', 200 + length(body), m % 9 = 0, m % 3 > 0,
    m % 40 = 0, m % 11 = 0, false,
    CASE WHEN m % 10 = 0 THEN id - m / 10 % 4 * 10 ELSE id END, true,
    CASE WHEN folder_id % 100 IN (5, 6) THEN at + interval '30 days' END
FROM mail;
-- Of the first person's mailbox and its colleagues'; words of all would only take longer.
INSERT INTO storage_search (message_id, words)
SELECT id, words || ('mailbox' || mailbox_id || 'mailbox')::tsvector
    || CASE WHEN m / 10 % 997 = 0 THEN 'zephyr'::tsvector ELSE ''::tsvector END
FROM mail WHERE m % 10 < 4;

INSERT INTO queue_queuedmessage
    (id, reference, content_id, sender, source, organisation_id, person_id, fingerprint,
     accepted_at, expires_at, envelope_id, dsn_full)
SELECT id, reference, id, from_address, 'receive', 1000 + sender_org, sender_id,
    md5('g' || m) || md5('h' || m), at, at + interval '5 days', '', false
FROM mail;
INSERT INTO queue_recipient
    (message_id, address, original, notify, status, hold, destination, next_attempt_at,
     attempts, leased_by, last_reply, tls_failures, finished_at, received_by_id)
SELECT id, to_address, '', '', status, CASE WHEN status = 'held' THEN 'operator' ELSE '' END,
    CASE WHEN status IN ('queued', 'held', 'failed')
         THEN 'connection:' || 1007 + m % 300 * 10 ELSE 'mailbox' END,
    at, 1, '', CASE WHEN status IN ('queued', 'failed') THEN '451 4.4.1 Later.' ELSE '' END, 0,
    CASE WHEN status IN ('delivered', 'failed') THEN at END, 1000 + mailbox_org
FROM (SELECT *, CASE WHEN m >= $messages * 0.99 AND m % 2 = 0 THEN 'queued'
                     WHEN m % 1000 = 7 THEN 'held' WHEN m % 200 = 3 THEN 'failed'
                     ELSE 'delivered' END AS status FROM mail) one
ORDER BY id;
INSERT INTO trace_event (reference, recipient, kind, at, detail)
SELECT reference, CASE kind WHEN 'received' THEN '' ELSE to_address END,
    CASE WHEN kind = 'delivered' AND m % 200 = 3 THEN 'failed' ELSE kind END, at,
    CASE kind WHEN 'received' THEN jsonb_build_object(
        'sender', from_address, 'organisation_id', 1000 + sender_org, 'size', 5000,
        'source', 'receive', 'peer', '192.0.2.1', 'recipients', 1)
    ELSE '{"reply": "250 2.1.5 Kept."}' END
FROM mail, unnest(ARRAY['received', 'delivered']) kind
ORDER BY id, kind DESC;
INSERT INTO trace_event (reference, recipient, kind, at, detail, refused_for_id)
SELECT upper(substr(md5('n' || m), 1, 16)), 'nobody' || m || '@o0.secure.example', 'refused', at,
    jsonb_build_object('reply', '550 5.1.1 No such address', 'sender', from_address,
        'organisation_id', 1000 + sender_org, 'source', 'receive', 'command', 'RCPT'),
    1000 + sender_org
FROM mail WHERE m % 20 = 0 ORDER BY m;
INSERT INTO trace_strangercount (source, hour, refusals, last_reply)
SELECT '198.51.' || s % 250 || '.' || s / 250 % 250, date_trunc('hour', now()) - s / 500 * interval '1 hour',
    1 + s % 90, '530 5.7.0 Authentication required'
FROM generate_series(0, 99999) s;
INSERT INTO organisation_mailday (organisation_id, day, sent, received, refused, waiting)
SELECT id, current_date - d, 5 * d, 3 * d, d % 3, d % 2 FROM org, generate_series(0, 29) d;
-- One that went to a long list.
INSERT INTO queue_recipient
    (message_id, address, original, notify, status, hold, destination, next_attempt_at,
     attempts, leased_by, last_reply, tls_failures, finished_at)
SELECT $messages, address, '', '', 'delivered', '', 'mailbox', now(), 1, '', '', 0, now()
FROM pers WHERE n % 10 = 0 ORDER BY n LIMIT 5000;
INSERT INTO trace_event (reference, recipient, kind, at, detail)
SELECT reference, address, 'delivered', now(), '{}' FROM mail,
    LATERAL (SELECT address FROM pers WHERE n % 10 = 0 ORDER BY n LIMIT 5000) reached
WHERE mail.id = $messages;

INSERT INTO antivirus_quarantinedmessage
    (reference, at, signature, scanner, sender, recipients, organisation_id, size, digest,
     path, words)
SELECT 'V' || reference, at, 'Eicar-Test', 'clamd', from_address,
    jsonb_build_array(to_address), 1000 + sender_org, 5000, md5(reference), 'none',
    pg_temp.words('Eicar-Test | ' || from_address)
FROM mail WHERE m % 400 = 0;

INSERT INTO web_sessions_signin
    (address, at, succeeded, is_known, peer, network, browser, device, generation, person_id,
     is_code)
SELECT address, now() - s * interval '10 seconds', s % 8 > 0, true,
    '198.51.' || s % 250 || '.' || s / 250 % 250, '198.51.' || s % 250 || '.0/24',
    'Firefox on Windows', md5('d' || n), 0, id, false
FROM generate_series(0, $people - 1) s
JOIN pers ON n = CASE WHEN s % 200 = 0 THEN 0 ELSE s END;
INSERT INTO web_sessions_websession
    (session_key, session_data, expire_date, generation, public_id, opened_at, seen_at, peer,
     browser, person_id)
SELECT md5('k' || n), '', now() + interval '1 day', 0, md5('p' || n), now(), now(),
    '198.51.100.7', 'Firefox on Windows', id FROM pers WHERE n % 20 = 1;

INSERT INTO webmail_contact
    (id, person_id, name, address, key, organisation, phone, note, words)
SELECT 1000 + row_number() OVER (), owner, name, address, address, '', '', '',
    pg_temp.words(name || ' | ' || address) FROM (
    SELECT 1000 AS owner, name, address FROM pers WHERE n < 5000
    UNION ALL
    SELECT id, 'Clerk', 'clerk@o0.secure.example' FROM pers WHERE n % 4 = 1) one;
INSERT INTO webmail_contactgroup (id, person_id, name)
SELECT 1000 + g, 1000, 'Group ' || g FROM generate_series(0, 49) g;
INSERT INTO webmail_contactgroup_contacts (contactgroup_id, contact_id)
SELECT 1000 + id % 50, id FROM webmail_contact WHERE person_id = 1000;
INSERT INTO storage_rule
    (mailbox_id, position, name, from_contains, to_contains, subject_contains,
     has_attachments, marks_read, flags, forward_to, stops)
SELECT 1000, r, 'Rule ' || r, '', '', 'case ' || r, false, true, false, '', false
FROM generate_series(1, 50) r;

INSERT INTO registry_apikey
    (id, organisation_id, name, scopes, client_id, digest, keyed_by, created_at, agreed_at)
SELECT 1000 + o, id, 'Case system', '["mailboxes:read"]', 'key' || o,
    md5('i' || o) || md5('j' || o), 'scale', now(), now() FROM org WHERE o % 20 = 0;
INSERT INTO registry_webhookendpoint
    (id, organisation_id, url, events, sealed_secret, earlier_sealed_secret, is_active,
     created_at)
SELECT id, id, 'https://hooks.example/' || o, '["message.delivered"]', '', '', true, now()
FROM org WHERE o % 20 = 0;
INSERT INTO api_webhookcall
    (endpoint_id, source, event, payload, state, attempts, next_attempt_at, last_reply,
     created_at)
SELECT CASE WHEN c % 2 = 0 THEN 1000 ELSE 1000 + c / 2 % ($organisations / 20) * 20 END,
    'trace:' || c, 'message.delivered', '{}', 'delivered', 1, now(), '200',
    now() - c * interval '1 second'
FROM generate_series(1, $messages / 20) c;
INSERT INTO organisation_peoplefile
    (organisation_id, name, status, sends_links, rows, known_count, faults, done_count,
     added_count, created_at)
SELECT 1000, 'people' || f || '.csv', 'done', false, rows, 0, '[]', 5000, 5000, now()
FROM generate_series(1, 200) f,
    (SELECT jsonb_agg(jsonb_build_object('name', 'Jo ' || r, 'address', r || '@x.example')) AS rows
     FROM generate_series(1, 5000) r) listed;
INSERT INTO guides_feedback (page_id, revision, is_useful, comment, at)
SELECT page_ptr_id, 1, f % 4 > 0, CASE WHEN f % 3 = 0 THEN 'Where is it?' ELSE '' END,
    now() - f * interval '5 minutes'
FROM guides_guide, generate_series(1, 500) f;
INSERT INTO home_servicenotice (kind, title, text, begins_at, ends_at, created_at)
SELECT 'news', 'News ' || s, 'Text.', now() - s * interval '1 day',
    now() - s * interval '1 day' + interval '1 hour', now() FROM generate_series(1, 500) s;
INSERT INTO health_sample (at, values)
SELECT date_trunc('minute', now()) - s * interval '1 minute', '{"queued": 10, "accepted": 90}'
FROM generate_series(1, 1440) s;
INSERT INTO health_alarm
    (rule, subject, detail, since, seen_at, returns, told_at, ended_at, ended_told_at)
SELECT 'next_hop', 'connection:' || a, 'It does not answer.', now() - a * interval '1 hour',
    now() - a * interval '1 hour', 0, now(), now() - a * interval '1 hour', now()
FROM generate_series(1, 2000) a;
INSERT INTO queue_sendingcount (sender, span, starts, messages, recipients, deferred)
SELECT 'person:' || id, 'day', extract(epoch FROM date_trunc('day', now()))::bigint, 40, 40, 0
FROM pers WHERE n % 20 = 3;

UPDATE registry_mailbox SET used_bytes = found.size FROM (
    SELECT mailbox_id, sum(size) AS size FROM storage_message GROUP BY mailbox_id) found
WHERE found.mailbox_id = registry_mailbox.id;
-- No key may be given twice by the sequences, which did not count.
DO $$$$ DECLARE one record; BEGIN
    FOR one IN SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'id' AND is_identity = 'YES'
    LOOP
        EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''id''), '
                       'greatest((SELECT max(id) FROM %I), 1))', one.table_name, one.table_name);
    END LOOP;
END $$$$;
