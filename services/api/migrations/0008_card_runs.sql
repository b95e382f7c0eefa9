-- Runs of report cards expire as the cards do.
-- depends: 0008_read_model_card_runs

create or replace function projector.drop_expired(cutoff timestamptz) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s'
    as $$
declare
    old record;
    dropped integer := 0;
begin
    for old in
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'read_model' and c.relkind = 'r'
            and c.relname ~ '^(snapshots|report_cards)_[0-9]{6}$'
            and to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' <= cutoff
    loop
        execute format('drop table read_model.%I', old.relname);
        dropped := dropped + 1;
    end loop;
    delete from read_model.scans where requested_at < cutoff;
    delete from read_model.card_runs where last_at < cutoff;
    delete from read_model.certificate_changes where requested_at < cutoff;
    delete from read_model.deliveries where at < cutoff;
    delete from read_model.host_latest where requested_at < cutoff;
    delete from read_model.host_chains where requested_at < cutoff;
    delete from read_model.host_report_cards where requested_at < cutoff;
    delete from read_model.host_grades where requested_at < cutoff;
    delete from read_model.workspace_certificates where last_seen_at < cutoff;
    delete from read_model.certificates c
        where not exists (select 1 from read_model.workspace_certificates w where w.sha256 = c.sha256);
    return dropped;
end $$;
