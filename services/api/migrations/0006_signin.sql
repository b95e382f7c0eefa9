-- What sign-in asks beside 0004: who holds a live session, what is behind a link before it is used, how often was tried.
-- depends: 0004_people

-- Whose session this is, if it was used within `idle`; at most one row. The use is noted at most once a minute, and only
-- of a session that still lives: looking at an idle one must not wake it.
create function config.live_session(session_sha256 bytea, idle interval)
    returns table (session_id uuid, sha256 bytea, user_id uuid, email text, name text, has_password boolean,
                   created_at timestamptz)
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    update config.sessions s set last_seen_at = now()
        where s.sha256 = session_sha256 and s.ended_at is null and s.expires_at > now()
            and s.last_seen_at > now() - idle and s.last_seen_at < now() - least(interval '1 minute', idle / 10);
    return query
        select s.session_id, s.sha256, s.user_id, u.email, u.name, u.password_hash is not null, s.created_at
        from config.sessions s join config.users u on u.user_id = s.user_id
        where s.sha256 = session_sha256 and s.ended_at is null and s.expires_at > now()
            and s.last_seen_at > now() - idle and u.disabled_at is null;
end $$;

create function config.live_sessions_of(wanted uuid, idle interval)
    returns table (session_id uuid, created_at timestamptz, last_seen_at timestamptz, expires_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
    select s.session_id, s.created_at, s.last_seen_at, s.expires_at
    from config.sessions s
    where s.user_id = wanted and s.ended_at is null and s.expires_at > now() and s.last_seen_at > now() - idle
    order by s.last_seen_at desc, s.session_id $$;

-- Ends one session of this user; nobody ends another's.
create function config.end_session_of(wanted uuid, wanted_session uuid, at timestamptz) returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    update config.sessions s set ended_at = at
        where s.session_id = wanted_session and s.user_id = wanted and s.ended_at is null;
    return found;
end $$;

-- Whom a link is for, without using it.
create function config.sign_in_link_for(link_sha256 bytea)
    returns table (user_id uuid, email text, name text, has_password boolean)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
    select u.user_id, u.email, u.name, u.password_hash is not null
    from config.sign_in_links l join config.users u on u.user_id = l.user_id
    where l.sha256 = link_sha256 and l.used_at is null and l.expires_at > now() and u.disabled_at is null $$;

-- Nobody's open link works any more: after a reset, and when a link was used.
create function config.void_sign_in_links_of(wanted uuid, at timestamptz) returns void
    language sql volatile security definer set search_path = pg_catalog, pg_temp
    as $$ update config.sign_in_links l set used_at = at where l.user_id = wanted and l.used_at is null $$;

-- True if this is still the user's password and he may sign in; then it stays so until the transaction ends, and a reset
-- that comes meanwhile waits and finds the new session. With `new_hash`, the same password is kept with today's parameters.
create function config.hold_password(wanted uuid, old_hash text, new_hash text) returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    perform 1 from config.users u
        where u.user_id = wanted and u.password_hash = old_hash and u.disabled_at is null for no key update;
    if not found then
        return false;
    end if;
    if new_hash is not null then
        update config.users u set password_hash = new_hash where u.user_id = wanted;
    end if;
    return true;
end $$;

-- When a bucket was counted since then, ascending. Whoever asks for the same bucket waits until this transaction ends.
create function config.sign_in_failure_times(wanted text, since timestamptz) returns setof timestamptz
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(wanted, 7216011330));
    return query select f.at from config.sign_in_failures f where f.bucket = wanted and f.at > since order by f.at;
end $$;

-- A sign-in that was right is no failure: takes one count of a bucket back.
create function config.take_back_sign_in_failure(wanted text, counted_at timestamptz) returns void
    language sql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
    delete from config.sign_in_failures where ctid = (
        select f.ctid from config.sign_in_failures f where f.bucket = wanted and f.at = counted_at limit 1) $$;

do $$
declare name text;
begin
    foreach name in array array[
        'live_session(bytea, interval)', 'live_sessions_of(uuid, interval)',
        'end_session_of(uuid, uuid, timestamptz)', 'sign_in_link_for(bytea)',
        'void_sign_in_links_of(uuid, timestamptz)', 'hold_password(uuid, text, text)',
        'sign_in_failure_times(text, timestamptz)', 'take_back_sign_in_failure(text, timestamptz)'
    ] loop
        execute format('revoke all on function config.%s from public', name);
        execute format('grant execute on function config.%s to vigilo_api', name);
    end loop;
end $$;
