-- Where somebody has to be told of a pool, before the timer that tells enters a workspace.
-- depends: 0008_snoozes 0009_read_model_suspects

create policy suspected on config.pool_notices for select to vigilo_migrator using (suspect_since is not null);
create function config.suspect_workspaces(since timestamptz) returns setof uuid
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp
    as $$
begin
    return query
        select l.workspace_id from read_model.host_latest l where l.pool_suspect and l.finished_at > since
        union
        select n.workspace_id from config.pool_notices n where n.suspect_since is not null;
end $$;
revoke all on function config.suspect_workspaces(timestamptz) from public;
grant execute on function config.suspect_workspaces(timestamptz) to vigilo_api;
