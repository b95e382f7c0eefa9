-- People: users, their places in workspaces, invitations, sessions, three kinds of tokens, and the quota.
-- depends: 0001_roles_and_config
--
-- A user belongs to no workspace; a membership says where and as what. vigilo_api sees the people of the workspace set
-- in its transaction, and the user set by set_config('vigilo.user', ..., true). It never reads a password's hash, a
-- session or a sign-in link: those are asked for through functions, which need the secret's SHA-256 or the address.

create function config.current_user_id() returns uuid
    language sql stable parallel safe
    as $$ select nullif(current_setting('vigilo.user', true), '')::uuid $$;

-- Roles in ascending order: what services/api/permissions.py calls Role.
create function config.role_rank(role text) returns integer
    language sql immutable parallel safe
    as $$ select array_position(array['viewer', 'member', 'approver', 'admin', 'owner'], role) $$;

create table config.users (
    user_id       uuid primary key,
    email         text check (email = lower(email)),
    name          text not null,
    password_hash text,
    oidc_issuer   text,
    oidc_subject  text,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    disabled_at   timestamptz,
    check ((oidc_issuer is null) = (oidc_subject is null)),
    check (oidc_issuer is not null or email is not null),
    check (oidc_issuer is null or password_hash is null),
    unique (oidc_issuer, oidc_subject)
);
-- An e-mail names a local account only: an issuer's word about an address opens nothing here.
create unique index users_by_email on config.users (email) where oidc_issuer is null;

create table config.memberships (
    workspace_id uuid not null references config.workspaces,
    user_id      uuid not null references config.users,
    role         text not null check (role in ('viewer', 'member', 'approver', 'admin', 'owner')),
    source       text not null check (source in ('local', 'oidc')),
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    primary key (workspace_id, user_id)
);
create index memberships_by_user on config.memberships (user_id);

create table config.invitations (
    invitation_id uuid primary key,
    workspace_id  uuid not null references config.workspaces,
    sha256        bytea not null unique check (length(sha256) = 32),
    role          text not null check (role in ('viewer', 'member', 'approver', 'admin', 'owner')),
    email         text check (email = lower(email)),
    created_by    text not null,
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    accepted_by   uuid references config.users,
    accepted_at   timestamptz,
    revoked_at    timestamptz,
    check ((accepted_by is null) = (accepted_at is null))
);
create index invitations_by_workspace on config.invitations (workspace_id, invitation_id);

create table config.sessions (
    session_id   uuid primary key,
    sha256       bytea not null unique check (length(sha256) = 32),
    user_id      uuid not null references config.users,
    created_at   timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at   timestamptz not null,
    ended_at     timestamptz
);
create index sessions_by_user on config.sessions (user_id) where ended_at is null;

create table config.sign_in_links (
    sha256     bytea primary key check (length(sha256) = 32),
    user_id    uuid not null references config.users,
    expires_at timestamptz not null,
    used_at    timestamptz
);

-- One row per failed attempt; `bucket` is the SHA-256 (hex) of what is counted, an account or an address.
create table config.sign_in_failures (
    bucket text not null check (bucket ~ '^[0-9a-f]{64}$'),
    at     timestamptz not null
);
create index sign_in_failures_by_bucket on config.sign_in_failures (bucket, at);
create index sign_in_failures_by_time on config.sign_in_failures (at);

-- personal: acts as its user; service: a machine's; feed: reads feeds and nothing else, for as long as the user who
-- made it is a member; installation: the operator's
-- own, made at the first start and by nothing else. `scopes` null = all its role allows.
alter table config.tokens
    add column kind text not null default 'service' check (kind in ('personal', 'service', 'feed', 'installation')),
    add column user_id uuid references config.users,
    add column scopes text[],
    add column created_by text;
update config.tokens set kind = 'installation' where role = 'owner';
alter table config.tokens
    add constraint tokens_have_a_user check (kind = 'feed' or (kind = 'personal') = (user_id is not null)),
    add constraint tokens_of_machines_own_nothing check (kind not in ('service', 'feed') or role <> 'owner'),
    add constraint tokens_of_feeds_only_read check (kind <> 'feed' or role = 'viewer');
create index tokens_by_workspace on config.tokens (workspace_id, token_id);

-- The plan: scans per day, null = unlimited. Set by the operator, never by vigilo_api.
alter table config.workspaces add column scans_per_day bigint check (scans_per_day >= 0);
revoke update on config.workspaces from vigilo_api;
grant update (slug, name, version, private_roots, pools, updated_at) on config.workspaces to vigilo_api;

-- Row-level security -------------------------------------------------------------------------------------------------

do $$
declare name text;
begin
    foreach name in array array['users', 'memberships', 'invitations', 'sessions', 'sign_in_links',
                                'sign_in_failures'] loop
        execute format('alter table config.%I enable row level security', name);
        execute format('alter table config.%I force row level security', name);
        -- The functions below run as the owner, who is bound by forced row-level security too.
        execute format('create policy owner on config.%I to vigilo_migrator using (true) with check (true)', name);
    end loop;
    foreach name in array array['memberships', 'invitations'] loop
        execute format('create policy own_workspace on config.%I to vigilo_api '
                       'using (workspace_id = config.current_workspace()) '
                       'with check (workspace_id = config.current_workspace())', name);
    end loop;
end $$;
create policy members_and_oneself on config.users for select to vigilo_api using (
    user_id = config.current_user_id() or exists (
        select from config.memberships m
        where m.user_id = users.user_id and m.workspace_id = config.current_workspace()));
create policy plan on config.workspaces for update to vigilo_migrator using (true) with check (true);

grant execute on function config.current_user_id(), config.role_rank(text) to vigilo_api;
grant select (user_id, email, name, oidc_issuer, created_at, updated_at, disabled_at) on config.users to vigilo_api;
grant select, insert, update, delete on config.memberships to vigilo_api;
grant select, insert, update on config.invitations to vigilo_api;

-- A workspace that had an owner keeps one, whoever asks otherwise and however many at once.
create function config.keep_an_owner() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    perform 1 from config.workspaces w where w.workspace_id = old.workspace_id for no key update;
    if not exists (select from config.memberships m where m.workspace_id = old.workspace_id and m.role = 'owner') then
        raise exception 'the last owner of a workspace stays its owner' using errcode = 'VG001';
    end if;
    return null;
end $$;
create trigger keep_an_owner after update of role on config.memberships
    for each row when (old.role = 'owner' and new.role <> 'owner') execute function config.keep_an_owner();
create trigger keep_an_owner_at_removal after delete on config.memberships
    for each row when (old.role = 'owner') execute function config.keep_an_owner();

-- Doors: questions asked before the workspace is known. All run as the owner. ----------------------------------------

-- Who holds this token. A user's is worth what the user is in the workspace now, and never more than when it was made;
-- without a membership, or with a disabled user, nothing.
drop function config.token_owner(bytea);
create function config.token_owner(token_sha256 bytea)
    returns table (token_id uuid, sha256 bytea, role text, workspace_id uuid, slug text,
                   kind text, user_id uuid, scopes text[])
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    update config.tokens t set last_used_at = now()
        where t.sha256 = token_sha256 and (t.last_used_at is null or t.last_used_at < now() - interval '1 minute');
    return query
        select t.token_id, t.sha256,
            case when config.role_rank(m.role) < config.role_rank(t.role) then m.role else t.role end,
            t.workspace_id, w.slug, t.kind, t.user_id, t.scopes
        from config.tokens t
            join config.workspaces w on w.workspace_id = t.workspace_id
            left join config.users u on u.user_id = t.user_id and u.disabled_at is null
            left join config.memberships m on m.workspace_id = t.workspace_id and m.user_id = u.user_id
        where t.sha256 = token_sha256 and t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
            and (t.user_id is null or m.role is not null);
end $$;

-- Where a user is a member, by name. Nothing for a disabled user.
create function config.memberships_of(wanted uuid)
    returns table (workspace_id uuid, slug text, name text, role text, source text)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
    select m.workspace_id, w.slug, w.name, m.role, m.source
    from config.memberships m
        join config.workspaces w on w.workspace_id = m.workspace_id
        join config.users u on u.user_id = m.user_id and u.disabled_at is null
    where m.user_id = wanted order by w.slug $$;

create function config.add_user(
    new_user_id uuid, new_email text, new_name text, new_password_hash text, new_issuer text, new_subject text,
    at timestamptz) returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    insert into config.users (user_id, email, name, password_hash, oidc_issuer, oidc_subject, created_at, updated_at)
        values (new_user_id, lower(new_email), new_name, new_password_hash, new_issuer, new_subject, at, at)
        on conflict do nothing;
    return found;
end $$;

-- The local account with this address.
create function config.user_by_email(wanted text)
    returns table (user_id uuid, email text, name text, password_hash text, disabled_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
    select u.user_id, u.email, u.name, u.password_hash, u.disabled_at
    from config.users u where u.email = lower(wanted) and u.oidc_issuer is null $$;

-- The account an issuer calls by this subject.
create function config.user_by_subject(issuer text, subject text)
    returns table (user_id uuid, email text, name text, disabled_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
    select u.user_id, u.email, u.name, u.disabled_at
    from config.users u where u.oidc_issuer = issuer and u.oidc_subject = subject $$;

-- A new password ends all sessions of its user.
create function config.set_password(wanted uuid, new_password_hash text, at timestamptz) returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    update config.users u set password_hash = new_password_hash, updated_at = at
        where u.user_id = wanted and u.oidc_issuer is null;
    if not found then
        return false;
    end if;
    update config.sessions s set ended_at = at where s.user_id = wanted and s.ended_at is null;
    return true;
end $$;

create function config.describe_user(wanted uuid, new_email text, new_name text, at timestamptz) returns void
    language sql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
    update config.users set email = lower(new_email), name = new_name, updated_at = at
    where user_id = wanted and (email, name) is distinct from (lower(new_email), new_name) $$;

create function config.open_session(
    new_session_id uuid, new_sha256 bytea, owner uuid, at timestamptz, until timestamptz) returns void
    language sql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
    insert into config.sessions (session_id, sha256, user_id, created_at, last_seen_at, expires_at)
    values (new_session_id, new_sha256, owner, at, at, until) $$;

-- Whose session this is; at most one row. Notes the use, once a minute at most. What its user may do is asked of
-- config.memberships_of, at every request.
create function config.session_owner(session_sha256 bytea)
    returns table (session_id uuid, sha256 bytea, user_id uuid, email text, name text,
                   created_at timestamptz, last_seen_at timestamptz, expires_at timestamptz)
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    return query
        select s.session_id, s.sha256, s.user_id, u.email, u.name, s.created_at, s.last_seen_at, s.expires_at
        from config.sessions s join config.users u on u.user_id = s.user_id
        where s.sha256 = session_sha256 and s.ended_at is null and s.expires_at > now() and u.disabled_at is null;
    update config.sessions s set last_seen_at = now()
        where s.sha256 = session_sha256 and s.ended_at is null and s.last_seen_at < now() - interval '1 minute';
end $$;

create function config.end_session(session_sha256 bytea, at timestamptz) returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    update config.sessions s set ended_at = at where s.sha256 = session_sha256 and s.ended_at is null;
    return found;
end $$;

create function config.end_sessions_of(wanted uuid, at timestamptz) returns bigint
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
declare ended bigint;
begin
    update config.sessions s set ended_at = at where s.user_id = wanted and s.ended_at is null;
    get diagnostics ended = row_count;
    return ended;
end $$;

create function config.add_sign_in_link(new_sha256 bytea, owner uuid, until timestamptz) returns void
    language sql volatile security definer set search_path = pg_catalog, pg_temp
    as $$ insert into config.sign_in_links (sha256, user_id, expires_at) values (new_sha256, owner, until) $$;

-- Whose link this was; a link works once.
create function config.use_sign_in_link(link_sha256 bytea, at timestamptz) returns uuid
    language sql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
    update config.sign_in_links l set used_at = at
    where l.sha256 = link_sha256 and l.used_at is null and l.expires_at > at
        and exists (select from config.users u where u.user_id = l.user_id and u.disabled_at is null)
    returning l.user_id $$;

-- Notes a failure; counts those of the bucket since then, this one included. Old ones are dropped on the way.
create function config.note_sign_in_failure(wanted text, at timestamptz, since timestamptz) returns bigint
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    delete from config.sign_in_failures f where f.at < least(since, note_sign_in_failure.at - interval '1 day');
    insert into config.sign_in_failures (bucket, at) values (wanted, note_sign_in_failure.at);
    return (select count(*) from config.sign_in_failures f where f.bucket = wanted and f.at >= since);
end $$;

create function config.sign_in_failures_since(wanted text, since timestamptz) returns bigint
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$ select count(*) from config.sign_in_failures f where f.bucket = wanted and f.at >= since $$;

create function config.forget_sign_in_failures(wanted text) returns void
    language sql volatile security definer set search_path = pg_catalog, pg_temp
    as $$ delete from config.sign_in_failures f where f.bucket = wanted $$;

-- What an open invitation offers; at most one row.
create function config.open_invitation(invitation_sha256 bytea)
    returns table (invitation_id uuid, workspace_id uuid, slug text, name text, role text, email text,
                   expires_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
    select i.invitation_id, i.workspace_id, w.slug, w.name, i.role, i.email, i.expires_at
    from config.invitations i join config.workspaces w on w.workspace_id = i.workspace_id
    where i.sha256 = invitation_sha256 and i.accepted_at is null and i.revoked_at is null and i.expires_at > now() $$;

-- Takes an invitation for a user: `joined`, `already-member` or `other-address` (both leave it open); no row for one
-- that is unknown, used, revoked or expired, or for a user who is not there or disabled.
create function config.accept_invitation(invitation_sha256 bytea, joining uuid, at timestamptz)
    returns table (outcome text, invitation_id uuid, workspace_id uuid, slug text, role text)
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
declare
    offered config.invitations;
    person config.users;
    kind text;
begin
    select * into person from config.users u where u.user_id = joining and u.disabled_at is null;
    if not found then
        return;
    end if;
    select * into offered from config.invitations i
        where i.sha256 = invitation_sha256 and i.accepted_at is null and i.revoked_at is null and i.expires_at > at
        for update;
    if not found then
        return;
    end if;
    if offered.email is not null and offered.email is distinct from person.email then
        kind := 'other-address';
    else
        insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at)
            values (offered.workspace_id, joining, offered.role, 'local', at, at)
            on conflict on constraint memberships_pkey do nothing;
        kind := case when found then 'joined' else 'already-member' end;
    end if;
    if kind = 'joined' then
        update config.invitations i set accepted_by = joining, accepted_at = at
            where i.invitation_id = offered.invitation_id;
    end if;
    return query
        select kind, offered.invitation_id, offered.workspace_id, w.slug, offered.role
        from config.workspaces w where w.workspace_id = offered.workspace_id;
end $$;

do $$
declare one record;
begin
    for one in
        select p.oid::regprocedure as name from pg_proc p
        where p.pronamespace = 'config'::regnamespace and p.prosecdef
    loop
        execute format('revoke all on function %s from public', one.name);
        execute format('grant execute on function %s to vigilo_api', one.name);
    end loop;
end $$;
revoke all on function config.current_user_id(), config.role_rank(text), config.keep_an_owner() from public;
