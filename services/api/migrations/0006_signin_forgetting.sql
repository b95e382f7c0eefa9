-- What sign-in leaves behind is forgotten: sessions thirty days after their end, links a day after theirs.
-- And where a refused sign-in of a disabled user is told: memberships_of names no place of his.
-- depends: 0006_signin

create function config.forget_old_sign_ins_of(wanted uuid, at timestamptz) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    delete from config.sessions s
        where s.user_id = wanted and least(s.expires_at, s.ended_at) < at - interval '30 days';
    delete from config.sign_in_links l
        where l.user_id = wanted and l.expires_at < at - interval '1 day';
end $$;
create index sessions_of_user on config.sessions (user_id);
create index sign_in_links_by_user on config.sign_in_links (user_id);

create function config.workspaces_to_tell_of(wanted uuid) returns setof uuid
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$ select m.workspace_id from config.memberships m where m.user_id = wanted order by 1 $$;

revoke all on function config.forget_old_sign_ins_of(uuid, timestamptz), config.workspaces_to_tell_of(uuid) from public;
grant execute on function config.forget_old_sign_ins_of(uuid, timestamptz), config.workspaces_to_tell_of(uuid)
    to vigilo_api;
