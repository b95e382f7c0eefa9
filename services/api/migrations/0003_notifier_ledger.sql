-- The notifier's ledger: one row per (transition, channel), written by vigilo_notifier alone (schema notifier).
-- depends: 0001_roles_and_config

create table notifier.consumed_offsets (
    topic        text    not null,
    partition    integer not null,
    next_offset  bigint  not null,
    primary key (topic, partition)
);

create table notifier.channels (
    channel_id    uuid    primary key,
    workspace_id  uuid    not null,
    version       integer not null,
    deleted       boolean not null,
    kind          text    not null,
    name          text    not null,
    enabled       boolean not null,
    -- Set by a receiver that answers 410 Gone; a new version of the channel clears it.
    gone          boolean not null default false
);

create table notifier.deliveries (
    delivery_id      uuid        primary key,
    workspace_id     uuid        not null,
    channel_id       uuid        not null,
    alert_id         uuid,
    transition_id    uuid,
    host_id          uuid,
    n                integer     not null,
    kind             text        not null,
    status           text        not null
        check (status in ('waiting', 'retrying', 'delivered', 'failed', 'superseded')),
    -- Counted and committed before a request leaves.
    attempt          integer     not null default 0,
    -- An attempt was not certainly refused: the receiver may have it.
    maybe_received   boolean     not null default false,
    next_attempt_at  timestamptz,
    http_status      integer,
    error_class      text,
    message          json        not null
);
create index deliveries_due on notifier.deliveries (next_attempt_at) where status in ('waiting', 'retrying');
create index deliveries_of_alert on notifier.deliveries (alert_id, channel_id, n);

-- Delivery events on their way to Kafka: the columns of config.outbox.
create table notifier.outbox (
    position      bigint generated always as identity primary key,
    workspace_id  uuid not null,
    id            uuid not null,
    aggregatetype text not null,
    aggregateid   text not null,
    type          text not null,
    payload       text,
    headers       json not null
);

create function notifier.announce_outbox() returns trigger
    language plpgsql
    as $$ begin perform pg_notify('vigilo_notifier_outbox', ''); return null; end $$;
create trigger announce_outbox after insert on notifier.outbox
    for each statement execute function notifier.announce_outbox();

do $$
declare name text;
begin
    foreach name in array array['channels', 'deliveries', 'outbox'] loop
        execute format('alter table notifier.%I enable row level security', name);
        execute format('alter table notifier.%I force row level security', name);
        execute format('create policy notifier on notifier.%I to vigilo_notifier using (true) with check (true)', name);
    end loop;
end $$;
grant select, insert, update on notifier.consumed_offsets, notifier.channels, notifier.deliveries to vigilo_notifier;
grant select, insert, delete on notifier.outbox to vigilo_notifier;
