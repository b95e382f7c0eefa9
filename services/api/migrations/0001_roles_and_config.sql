-- What people configure (schema config), the outbox, and the notifier's only door to it.
--
-- Every table here has workspace_id and row-level security, enabled and forced: nobody reads without a policy, the owner
-- (vigilo_migrator) included. vigilo_api sees the rows of the workspace set by set_config('vigilo.workspace', ..., true)
-- in its transaction; unset or empty means none. The roles themselves are made by services/api/database_roles.py.

create schema config;
create schema notifier;

create function config.current_workspace() returns uuid
    language sql stable parallel safe
    as $$ select nullif(current_setting('vigilo.workspace', true), '')::uuid $$;

create table config.workspaces (
    workspace_id  uuid primary key,
    slug          text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name          text not null,
    version       integer not null check (version >= 1),
    private_roots text[] not null default '{}',
    pools         text[] not null default '{public}',
    created_at    timestamptz not null,
    updated_at    timestamptz not null
);

create table config.hosts (
    host_id      uuid primary key,
    workspace_id uuid not null references config.workspaces,
    version      integer not null check (version >= 1),
    status       text not null check (status in ('active', 'paused', 'deleted')),
    hostname     text not null,
    port         integer not null check (port between 1 and 65535),
    "interval"   text not null check ("interval" in ('5m', '15m', '1h', '6h', '24h')),
    tags         text[] not null default '{}',
    protocol     text not null,
    sni          text,
    address      text,
    pool         text not null,
    trust        text not null,
    probing      text not null,
    owner        text,
    notes        text,
    runbook_url  text,
    "references" text[] not null default '{}',
    snooze       jsonb,
    created_at   timestamptz not null,
    updated_at   timestamptz not null
);
-- One host per target; a deleted row stays for 30 days and must not block adding it again.
create unique index hosts_target on config.hosts (workspace_id, hostname, port, address, sni, protocol, pool)
    nulls not distinct where status <> 'deleted';
create index hosts_by_name on config.hosts (workspace_id, hostname, port, host_id) where status <> 'deleted';
create index hosts_by_tag on config.hosts using gin (tags);
create index hosts_deleted on config.hosts (updated_at) where status = 'deleted';

create table config.channels (
    channel_id   uuid primary key,
    workspace_id uuid not null references config.workspaces,
    version      integer not null check (version >= 1),
    status       text not null check (status in ('active', 'deleted')),
    kind         text not null,
    name         text not null,
    enabled      boolean not null,
    destination  text not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    unique (workspace_id, channel_id)
);
create index channels_by_workspace on config.channels (workspace_id, channel_id) where status <> 'deleted';
create index channels_deleted on config.channels (updated_at) where status = 'deleted';

-- Addresses and keys of channels, sealed (vigilo/adapters/secrets.py); key_id says with which key.
create table config.channel_secrets (
    channel_id   uuid primary key,
    workspace_id uuid not null,
    key_id       text not null,
    ciphertext   bytea not null,
    updated_at   timestamptz not null,
    foreign key (workspace_id, channel_id) references config.channels (workspace_id, channel_id) on delete cascade
);

create table config.alert_rules (
    rule_id      uuid primary key,
    workspace_id uuid not null references config.workspaces,
    version      integer not null check (version >= 1),
    status       text not null check (status in ('active', 'deleted')),
    name         text not null,
    enabled      boolean not null,
    trigger      jsonb not null,
    scope        jsonb not null,
    severity     text not null,
    channels     uuid[] not null default '{}',
    open_after   integer not null,
    close_after  integer not null,
    runbook_url  text,
    created_at   timestamptz not null,
    updated_at   timestamptz not null
);
create index alert_rules_by_workspace on config.alert_rules (workspace_id, rule_id) where status <> 'deleted';
create index alert_rules_deleted on config.alert_rules (updated_at) where status = 'deleted';

-- Only the SHA-256 of a token is kept.
create table config.tokens (
    token_id     uuid primary key,
    workspace_id uuid not null references config.workspaces,
    name         text not null,
    sha256       bytea not null unique check (length(sha256) = 32),
    role         text not null check (role in ('viewer', 'member', 'approver', 'admin', 'owner')),
    created_at   timestamptz not null,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);

-- Answers already given, kept to be repeated. Written in the transaction of the effect, so one without the other
-- cannot exist. `body` is sealed when `key_id` is set (an answer that showed a secret once).
create table config.idempotency_keys (
    workspace_id uuid not null references config.workspaces,
    key          text not null,
    fingerprint  bytea not null,
    status       integer not null,
    headers      jsonb not null,
    body         bytea not null,
    key_id       text,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    primary key (workspace_id, key)
);
create index idempotency_keys_by_expiry on config.idempotency_keys (expires_at);

-- Events to publish, in the shape Debezium's outbox router reads. `aggregatetype` is the logical topic, `aggregateid`
-- the record's key, `type` the ce_type, `payload` the value (null = tombstone), `headers` a list of [name, value].
-- `id` is the ce_id; not unique, for republishing writes the same version again. Deleted once acknowledged.
create table config.outbox (
    position      bigint generated always as identity primary key,
    workspace_id  uuid not null,
    id            uuid not null,
    aggregatetype text not null,
    aggregateid   text not null,
    type          text not null,
    payload       text,
    headers       json not null
);

create function config.announce_outbox() returns trigger
    language plpgsql
    as $$ begin perform pg_notify('vigilo_outbox', ''); return null; end $$;
create trigger announce_outbox after insert on config.outbox
    for each statement execute function config.announce_outbox();

-- Row-level security -------------------------------------------------------------------------------------------------

do $$
declare name text;
begin
    foreach name in array array['workspaces', 'hosts', 'channels', 'channel_secrets', 'alert_rules', 'tokens',
                                'idempotency_keys', 'outbox'] loop
        execute format('alter table config.%I enable row level security', name);
        execute format('alter table config.%I force row level security', name);
        execute format('create policy own_workspace on config.%I to vigilo_api '
                       'using (workspace_id = config.current_workspace()) '
                       'with check (workspace_id = config.current_workspace())', name);
    end loop;
    -- The relay buries deleted records of all workspaces; it sees no living one, no secret, no token.
    foreach name in array array['hosts', 'channels', 'alert_rules'] loop
        execute format('create policy see_deleted on config.%I for select to vigilo_relay '
                       'using (status = ''deleted'')', name);
        execute format('create policy bury on config.%I for delete to vigilo_relay using (status = ''deleted'')', name);
    end loop;
end $$;
-- Who republishes must know which workspaces there are; it reads them one by one, as vigilo_api.
create policy list_workspaces on config.workspaces for select to vigilo_relay using (true);
create policy publish on config.outbox to vigilo_relay using (true) with check (true);
create policy see_expired on config.idempotency_keys for select to vigilo_relay using (expires_at < now());
create policy drop_expired on config.idempotency_keys for delete to vigilo_relay using (expires_at < now());

revoke all on all functions in schema config from public;
grant usage on schema config to vigilo_api, vigilo_relay;
grant execute on function config.current_workspace() to vigilo_api, vigilo_relay;
grant select, insert, update on config.workspaces, config.hosts, config.channels, config.alert_rules, config.tokens
    to vigilo_api;
grant select, insert, update, delete on config.channel_secrets to vigilo_api;
grant select, insert, delete on config.idempotency_keys to vigilo_api;
grant insert on config.outbox to vigilo_api;
grant select (workspace_id) on config.workspaces to vigilo_relay;
grant select, delete on config.hosts, config.channels, config.alert_rules, config.idempotency_keys to vigilo_relay;
grant select, insert, delete on config.outbox to vigilo_relay;

-- Two doors through the wall: each a question that must be answered before the workspace is known. They run as the
-- owner, who has exactly these policies.

create policy token_owner on config.tokens for select to vigilo_migrator using (true);
create policy token_used on config.tokens for update to vigilo_migrator using (true);
create policy slug_lookup on config.workspaces for select to vigilo_migrator using (true);

-- Who holds this token: at most one row; expired and revoked tokens hold nothing. Notes the use, once a minute at most.
create function config.token_owner(token_sha256 bytea)
    returns table (token_id uuid, sha256 bytea, role text, workspace_id uuid, slug text)
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    update config.tokens t set last_used_at = now()
        where t.sha256 = token_sha256 and (t.last_used_at is null or t.last_used_at < now() - interval '1 minute');
    return query
        select t.token_id, t.sha256, t.role, t.workspace_id, w.slug
        from config.tokens t join config.workspaces w on w.workspace_id = t.workspace_id
        where t.sha256 = token_sha256 and t.revoked_at is null and (t.expires_at is null or t.expires_at > now());
end $$;
revoke all on function config.token_owner(bytea) from public;
grant execute on function config.token_owner(bytea) to vigilo_api;

create function config.workspace_by_slug(wanted text) returns uuid
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$ select workspace_id from config.workspaces where slug = wanted $$;
revoke all on function config.workspace_by_slug(text) from public;
grant execute on function config.workspace_by_slug(text) to vigilo_api;

-- The notifier sees secrets of all workspaces, and nothing else of config: it has no grant on that schema. The view
-- reads with its owner's rights (security_invoker off), and the owner is bound by forced RLS, hence the policies.
-- security_barrier: no condition of a caller is tried on rows the view hides.
create policy notifier_view on config.channel_secrets for select to vigilo_migrator using (true);
create policy notifier_view on config.channels for select to vigilo_migrator using (status <> 'deleted');
create view notifier.channel_secrets with (security_barrier = true, security_invoker = false) as
    select s.workspace_id, s.channel_id, c.kind, s.key_id, s.ciphertext, s.updated_at
    from config.channel_secrets s join config.channels c
        on c.channel_id = s.channel_id and c.workspace_id = s.workspace_id;
grant usage on schema notifier to vigilo_notifier;
grant select on notifier.channel_secrets to vigilo_notifier;
