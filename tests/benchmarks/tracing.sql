-- Messages of a week: a fifth sent by $own, a fifth to it, a tenth to one busy person
-- elsewhere, the rest between others. Ids begin at 1.

SET LOCAL session_replication_role = replica;
SET LOCAL synchronous_commit = off;

CREATE TEMP TABLE mail ON COMMIT DROP AS
SELECT m, upper(substr(md5('m' || m), 1, 16)) AS reference,
    now() - ($messages - m) * (interval '6 days 20 hours' / $messages) AS at,
    CASE WHEN m % 5 = 0 THEN $own ELSE $first + m / 7 % $others END AS sender_id,
    CASE WHEN m % 5 = 1 THEN $own
         WHEN m % 10 IN (5, 7) THEN $first
         ELSE $first + m / 11 % $others END AS receiver,
    CASE WHEN m % 5 = 0 THEN 'p' || m / 5 % 100 || '@o0.secure.example'
         ELSE 'p' || m / 13 % 50 || '@o' || 1 + m / 7 % $others || '.secure.example'
    END AS sender,
    CASE WHEN m % 5 = 1 THEN 'p' || m / 5 % 100 || '@o0.secure.example'
         WHEN m % 10 IN (5, 7) THEN 'busy@o1.secure.example'
         ELSE 'p' || m / 17 % 50 || '@o' || 1 + m / 11 % $others || '.secure.example'
    END AS recipient,
    CASE WHEN m > $messages * 0.995 THEN 'queued' WHEN m % 200 = 0 THEN 'failed'
         ELSE 'delivered' END AS status
FROM generate_series(1::bigint, $messages) m;

INSERT INTO queue_queuedmessage
    (id, reference, content_id, sender, source, organisation_id, fingerprint, accepted_at,
     expires_at, envelope_id, dsn_full)
SELECT m, reference, $content, sender, 'receive', sender_id, '', at,
    at + interval '5 days', '', false
FROM mail ORDER BY m;
INSERT INTO queue_recipient
    (message_id, address, original, notify, status, hold, destination, next_attempt_at,
     attempts, leased_by, last_reply, finished_at$received_by)
SELECT m, recipient, '', '', status, '',
    CASE status WHEN 'delivered' THEN 'mailbox' ELSE 'connection:1' END, at, 1, '',
    CASE status WHEN 'failed' THEN '550 5.1.1 Unknown' ELSE '' END,
    CASE status WHEN 'queued' THEN NULL ELSE at + m % 60 * interval '1 second' END$receiver
FROM mail ORDER BY m;
INSERT INTO trace_event (reference, recipient, kind, at, detail)
SELECT reference, CASE kind WHEN 'received' THEN '' ELSE recipient END, kind, at,
    CASE kind WHEN 'received' THEN jsonb_build_object('sender', sender,
        'organisation_id', sender_id, 'size', 5000, 'source', 'receive', 'recipients', 1)
    ELSE '{"reply": "250 2.1.5 Kept."}' END
FROM mail, unnest(ARRAY['received', 'delivered']) kind ORDER BY m;
INSERT INTO trace_event (reference, recipient, kind, at, detail$refused_for)
SELECT upper(substr(md5('r' || m), 1, 16)), 'r' || m % 1000 || '@o3.secure.example',
    'refused', at, jsonb_build_object('reply', '550 5.1.1 No such address', 'sender', sender,
        'organisation_id', $own, 'source', 'receive', 'command', 'RCPT',
        'peer', '192.0.2.7')$refused
FROM mail WHERE m % 10 = 0 ORDER BY m;
SELECT setval(pg_get_serial_sequence('queue_queuedmessage', 'id'), $messages);
