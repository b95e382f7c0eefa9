-- Snoozes of rules and of tags; what was told of a pool that lost its network; new keys over answers that are kept.
-- (A host's snooze is a field of its record.)
-- depends: 0007_reminders_and_routes

create table config.snoozes (
    snooze_id    uuid primary key,
    workspace_id uuid not null references config.workspaces,
    version      integer not null check (version >= 1),
    status       text not null check (status in ('active', 'deleted')),
    rule_id      uuid,
    tag          text,
    since        timestamptz not null,
    until        timestamptz not null check (until > since),
    reason       text not null,
    "by"         text not null,
    updated_at   timestamptz not null,
    check ((rule_id is null) <> (tag is null))
);
create index snoozes_by_workspace on config.snoozes (workspace_id, since, snooze_id) where status <> 'deleted';
create index snoozes_over on config.snoozes (until) where status <> 'deleted';
create index snoozes_deleted on config.snoozes (updated_at) where status = 'deleted';

-- One row per pool that was ever suspect: `suspect_since` null = it is well. `told_at` = the last notice.
create table config.pool_notices (
    workspace_id  uuid not null references config.workspaces,
    pool          text not null,
    suspect_since timestamptz,
    told_at       timestamptz not null,
    primary key (workspace_id, pool)
);

do $$
declare name text;
begin
    foreach name in array array['snoozes', 'pool_notices'] loop
        execute format('alter table config.%I enable row level security', name);
        execute format('alter table config.%I force row level security', name);
        execute format('create policy own_workspace on config.%I to vigilo_api '
                       'using (workspace_id = config.current_workspace()) '
                       'with check (workspace_id = config.current_workspace())', name);
    end loop;
end $$;
create policy see_deleted on config.snoozes for select to vigilo_relay using (status = 'deleted');
create policy bury on config.snoozes for delete to vigilo_relay using (status = 'deleted');
grant select, insert, update on config.snoozes, config.pool_notices to vigilo_api;
grant select, delete on config.snoozes to vigilo_relay;

-- What the timer that ends them must know before it enters a workspace.
create policy over_snoozes on config.snoozes for select to vigilo_migrator using (status <> 'deleted');
create function config.over_snoozes(at timestamptz, most integer) returns table (workspace_id uuid, snooze_id uuid)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
    select s.workspace_id, s.snooze_id from config.snoozes s
    where s.status <> 'deleted' and s.until <= at
    order by s.until limit most
$$;
revoke all on function config.over_snoozes(timestamptz, integer) from public;
grant execute on function config.over_snoozes(timestamptz, integer) to vigilo_api;

-- A kept answer that shows a secret is sealed again when the keys are rotated.
grant update (body, key_id) on config.idempotency_keys to vigilo_api;
