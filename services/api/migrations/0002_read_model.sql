-- What was observed and decided, as the topics tell it: schema read_model, written by the projector alone.
--
-- A function of the topics, whatever the interleaving between them: no clock, no sequence, no foreign key, no copy of
-- configuration (names and tags are joined when somebody asks). Rows that could collide always come from one
-- partition, hence keys such as (scan_id, host_id). A rebuild runs this very file (and any later *_read_model*.sql)
-- with the schema's name replaced, so nothing here may name the schema inside a function's body.

create schema read_model;

-- Where the projector goes on reading; moved in the transaction of the rows, by compare-and-set.
create table read_model.projector_offsets (
    topic     text not null,
    partition integer not null,
    next      bigint not null,
    primary key (topic, partition)
);

-- The workspace of a host, by the first event of each topic that names the host.
create table read_model.host_workspaces (
    topic        text not null,
    host_id      uuid not null,
    workspace_id uuid not null,
    primary key (topic, host_id)
);

-- Of two snapshots with one scan id the first in the partition counts. (A partitioned table cannot say so itself: its
-- unique keys must hold the time.)
create table read_model.scans (
    scan_id      uuid not null,
    host_id      uuid not null,
    workspace_id uuid not null,
    requested_at timestamptz not null,
    primary key (scan_id, host_id)
);

-- One scan, whole and immutable; `event` without the DER of its chain, which is in certificates.
create table read_model.snapshots (
    workspace_id     uuid not null,
    host_id          uuid not null,
    requested_at     timestamptz not null,
    scan_id          uuid not null,
    outcome          text not null,
    event            jsonb not null,
    source_partition integer not null,
    source_offset    bigint not null,
    primary key (host_id, requested_at, scan_id)
) partition by range (requested_at);
create table read_model.snapshots_default partition of read_model.snapshots default;

-- The report card of a scan; a later one of the same scan (a regrade) replaces it.
create table read_model.report_cards (
    workspace_id     uuid not null,
    host_id          uuid not null,
    requested_at     timestamptz not null,
    scan_id          uuid not null,
    outcome          text not null,
    grade            text,
    event            jsonb not null,
    source_partition integer not null,
    source_offset    bigint not null,
    primary key (host_id, requested_at, scan_id)
) partition by range (requested_at);
create table read_model.report_cards_default partition of read_model.report_cards default;

-- Per host the newest scan, the newest scan that showed a chain, the newest report card, the newest one with a letter.
-- Newest is the greatest (requested_at, scan_id).
create table read_model.host_latest (
    host_id      uuid primary key,
    workspace_id uuid not null,
    requested_at timestamptz not null,
    scan_id      uuid not null,
    finished_at  timestamptz not null,
    depth        text not null,
    outcome      text not null,
    detail       text,
    address      text,
    tls_version  text,
    pool_suspect boolean not null
) with (fillfactor = 70);

create table read_model.host_chains (
    host_id         uuid primary key,
    workspace_id    uuid not null,
    requested_at    timestamptz not null,
    scan_id         uuid not null,
    leaf_sha256     bytea not null,
    leaf_subject    text not null,
    leaf_issuer     text not null,
    leaf_not_before timestamptz,
    leaf_not_after  timestamptz,
    chain_sha256    bytea[] not null
) with (fillfactor = 70);
create index host_chains_by_certificate on read_model.host_chains using gin (chain_sha256);

create table read_model.host_report_cards (
    host_id       uuid primary key,
    workspace_id  uuid not null,
    requested_at  timestamptz not null,
    scan_id       uuid not null,
    outcome       text not null,
    grade         text,
    posture_grade text,
    chain_valid   text not null,
    chain_reason  text,
    name_matches  text not null,
    staple_status text,
    graded_at     timestamptz not null
) with (fillfactor = 70);

create table read_model.host_grades (
    host_id      uuid primary key,
    workspace_id uuid not null,
    requested_at timestamptz not null,
    scan_id      uuid not null,
    grade        text not null,
    rank         smallint not null
) with (fillfactor = 70);

-- Certificates by the SHA-256 of their DER, shared by all workspaces; who may see one is said by the next table.
create table read_model.certificates (
    sha256 bytea primary key,
    der    bytea not null
);

-- last_* names the newest snapshot that shows the certificate: its facts are read there.
create table read_model.workspace_certificates (
    workspace_id  uuid not null,
    sha256        bytea not null,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    last_scan_id  uuid not null,
    last_host_id  uuid not null,
    primary key (workspace_id, sha256)
) with (fillfactor = 80);
create index workspace_certificates_by_sha256 on read_model.workspace_certificates (sha256);

create table read_model.certificate_changes (
    workspace_id     uuid not null,
    host_id          uuid not null,
    requested_at     timestamptz not null,
    scan_id          uuid not null,
    event            jsonb not null,
    source_partition integer not null,
    source_offset    bigint not null,
    primary key (host_id, scan_id)
);
create index certificate_changes_by_time on read_model.certificate_changes (host_id, requested_at, scan_id);

-- Each alert as its transition with the greatest n left it.
create table read_model.alerts (
    alert_id     uuid not null,
    host_id      uuid not null,
    workspace_id uuid not null,
    rule_id      uuid not null,
    n            integer not null,
    state        text not null,
    severity     text not null,
    opened_at    timestamptz not null,
    at           timestamptz not null,
    event        jsonb not null,
    primary key (alert_id, host_id)
);
create index alerts_by_time on read_model.alerts (workspace_id, opened_at desc, alert_id desc);
create index alerts_by_host on read_model.alerts (host_id, opened_at desc, alert_id desc);
create index alerts_by_rule on read_model.alerts (rule_id, opened_at desc, alert_id desc);
create index alerts_not_closed on read_model.alerts (workspace_id, opened_at desc, alert_id desc)
    where state <> 'closed';

create table read_model.alert_transitions (
    alert_id         uuid not null,
    host_id          uuid not null,
    workspace_id     uuid not null,
    n                integer not null,
    transition_id    uuid not null,
    kind             text not null,
    at               timestamptz not null,
    event            jsonb not null,
    source_partition integer not null,
    source_offset    bigint not null,
    primary key (alert_id, host_id, n)
);
create index alert_transitions_by_host on read_model.alert_transitions (host_id, at, transition_id);

-- Each delivery as its newest event left it: the greatest (at, attempt).
create table read_model.deliveries (
    workspace_id     uuid not null,
    delivery_id      uuid not null,
    channel_id       uuid not null,
    transition_id    uuid,
    alert_id         uuid,
    host_id          uuid,
    status           text not null,
    attempt          integer not null,
    http_status      integer,
    error_class      text,
    duration_ms      integer,
    next_attempt_at  timestamptz,
    at               timestamptz not null,
    source_partition integer not null,
    source_offset    bigint not null,
    primary key (workspace_id, delivery_id)
);
create index deliveries_by_time on read_model.deliveries (workspace_id, at desc, delivery_id desc);
create index deliveries_by_alert on read_model.deliveries (alert_id) where alert_id is not null;
create index deliveries_by_channel on read_model.deliveries (channel_id, at desc, delivery_id desc);

create table read_model.work_items (
    workspace_id uuid not null,
    item_id      uuid not null,
    version      integer not null,
    status       text not null,
    kind         text not null,
    title        text not null,
    url          text,
    state        text,
    host_ids     uuid[] not null,
    updated_at   timestamptz not null,
    primary key (workspace_id, item_id)
);
create index work_items_by_host on read_model.work_items using gin (host_ids);
create index work_items_by_time on read_model.work_items (workspace_id, updated_at desc, item_id desc);

-- Row-level security -------------------------------------------------------------------------------------------------

grant usage on schema read_model to vigilo_api, vigilo_projector;

do $$
declare
    one record;
begin
    for one in
        select c.oid::regclass as name, c.relname, c.relispartition,
            exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id') as tenanted
        from pg_class c
        where c.relnamespace = 'read_model'::regnamespace and c.relkind in ('r', 'p')
    loop
        execute format('alter table %s enable row level security', one.name);
        execute format('alter table %s force row level security', one.name);
        -- Partitions are reached through their parent only: no policy and no grant of their own.
        continue when one.relispartition;
        execute format('create policy projector on %s to vigilo_projector using (true) with check (true)', one.name);
        execute format('create policy owner on %s to vigilo_migrator using (true) with check (true)', one.name);
        execute format('grant select, insert on %s to vigilo_projector', one.name);
        if one.tenanted and one.relname <> 'host_workspaces' then
            execute format('create policy own_workspace on %s for select to vigilo_api '
                           'using (workspace_id = (select config.current_workspace()))', one.name);
            execute format('grant select on %s to vigilo_api', one.name);
        end if;
    end loop;
end $$;

-- A subquery of a policy is itself under row-level security: it sees the caller's workspace only.
create policy seen_by_workspace on read_model.certificates for select to vigilo_api
    using (exists (select 1 from read_model.workspace_certificates w where w.sha256 = certificates.sha256));
grant select on read_model.certificates to vigilo_api;
create policy progress on read_model.projector_offsets for select to vigilo_api using (true);
grant select on read_model.projector_offsets to vigilo_api;

-- Snapshots, scans, transitions, changes and certificates are never changed once written, not even by the projector.
grant update on read_model.projector_offsets, read_model.report_cards, read_model.host_latest, read_model.host_chains,
    read_model.host_report_cards, read_model.host_grades, read_model.workspace_certificates, read_model.alerts,
    read_model.deliveries, read_model.work_items to vigilo_projector;
grant delete on read_model.work_items to vigilo_projector;
