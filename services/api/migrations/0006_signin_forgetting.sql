-- What sign-in leaves behind is forgotten: sessions thirty days after their end, links a day after theirs.
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
revoke all on function config.forget_old_sign_ins_of(uuid, timestamptz) from public;
grant execute on function config.forget_old_sign_ins_of(uuid, timestamptz) to vigilo_api;
