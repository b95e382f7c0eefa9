-- The audit log: one chain of entries per workspace, written by vigilo_api in the transaction of each change.
-- depends: 0004_people
--
-- vigilo_api may add the next entry of its workspace's chain and read what is there; it has no right to change or remove
-- one, nor to touch a head. Who may (the owner, a superuser) is found out by `vigilo audit verify`.
-- No foreign key to workspaces: its check would take a lock on that row after the head's, others take them the other way.

-- The last entry of each chain; sequence 0 and a hash of zeros stand for an empty one.
create table config.audit_heads (
    workspace_id uuid primary key,
    sequence     bigint not null check (sequence >= 0),
    hash         text not null check (hash ~ '^[0-9a-f]{64}$')
);

-- `before` and `after` are json, not jsonb: what was hashed is kept to the letter.
create table config.audit_entries (
    workspace_id  uuid not null,
    sequence      bigint not null check (sequence >= 1),
    at            timestamptz not null,
    actor         text not null,
    action        text not null,
    subject       text not null,
    origin        text,
    before        json,
    after         json,
    previous_hash text not null check (previous_hash ~ '^[0-9a-f]{64}$'),
    hash          text not null check (hash ~ '^[0-9a-f]{64}$'),
    primary key (workspace_id, sequence)
);
create index audit_entries_by_actor on config.audit_entries (workspace_id, actor, sequence);
create index audit_entries_by_action on config.audit_entries (workspace_id, action, sequence);
create index audit_entries_by_subject on config.audit_entries (workspace_id, subject, sequence);
create index audit_entries_by_time on config.audit_entries (workspace_id, at);

do $$
declare name text;
begin
    foreach name in array array['audit_heads', 'audit_entries'] loop
        execute format('alter table config.%I enable row level security', name);
        execute format('alter table config.%I force row level security', name);
    end loop;
end $$;
create policy own_workspace on config.audit_entries to vigilo_api
    using (workspace_id = config.current_workspace()) with check (workspace_id = config.current_workspace());
-- The two functions below run as the owner.
create policy own_workspace on config.audit_heads to vigilo_api, vigilo_migrator
    using (workspace_id = config.current_workspace()) with check (workspace_id = config.current_workspace());

-- The workspace's head, locked until the transaction ends: entries are written one transaction after another.
create function config.lock_audit_head() returns table (sequence bigint, hash text)
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    insert into config.audit_heads (workspace_id, sequence, hash)
        values (config.current_workspace(), 0, repeat('0', 64)) on conflict do nothing;
    return query
        select h.sequence, h.hash from config.audit_heads h
        where h.workspace_id = config.current_workspace() for update;
end $$;

-- An entry that does not continue the chain is refused; one that does becomes its head.
create function config.advance_audit_head() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    update config.audit_heads h set sequence = new.sequence, hash = new.hash
        where h.workspace_id = new.workspace_id and h.sequence = new.sequence - 1 and h.hash = new.previous_hash;
    if not found then
        raise exception 'entry % does not continue the audit chain', new.sequence
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger advance_audit_head before insert on config.audit_entries
    for each row execute function config.advance_audit_head();

-- Snoozes whose time is over, of all workspaces: what the timer that ends them must know before it enters one.
create index hosts_snoozed on config.hosts (host_id) where snooze is not null and status <> 'deleted';
create policy ended_snoozes on config.hosts for select to vigilo_migrator
    using (snooze is not null and status <> 'deleted');
create function config.ended_snoozes(at timestamptz, most integer) returns table (workspace_id uuid, host_id uuid)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
    select h.workspace_id, h.host_id from config.hosts h
    where h.snooze is not null and h.status <> 'deleted' and (h.snooze ->> 'until')::timestamptz <= at
    order by (h.snooze ->> 'until')::timestamptz limit most
$$;

revoke all on function config.lock_audit_head(), config.advance_audit_head(),
    config.ended_snoozes(timestamptz, integer) from public;
grant execute on function config.lock_audit_head(), config.ended_snoozes(timestamptz, integer) to vigilo_api;
grant select on config.audit_heads to vigilo_api;
grant select, insert on config.audit_entries to vigilo_api;
