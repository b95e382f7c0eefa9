-- What the read model needs done by its owner: partitions by month, and dropping what is past its time.
--
-- These functions stay when a rebuild swaps the schema read_model (services/api/rebuild.py), hence a schema of their
-- own; `target` names the schema to work on. The owner is bound by forced row-level security like everybody: the
-- tables have a policy for it.

create schema projector;

-- Makes the partitions of one month (UTC). Months outside 2020 to 2099 stay in the default partition: only a broken
-- clock gets there, and it must not be able to make partitions without end.
create function projector.ensure_month(target text, moment timestamptz) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC'
    as $$
declare
    parent text;
    month date := date_trunc('month', moment)::date;
    partition text;
begin
    if target not in ('read_model', 'read_model_next') then
        raise exception 'not a schema of the read model: %', target;
    end if;
    if moment < '2020-01-01' or moment >= '2100-01-01' then
        return;
    end if;
    foreach parent in array array['snapshots', 'report_cards'] loop
        partition := parent || to_char(month, '"_"YYYYMM');
        if to_regclass(format('%I.%I', target, partition)) is null then
            execute format('create table %I.%I (like %I.%I including all)', target, partition, target, parent);
            execute format('alter table %I.%I enable row level security', target, partition);
            execute format('alter table %I.%I force row level security', target, partition);
            execute format('alter table %I.%I attach partition %I.%I for values from (%L) to (%L)',
                           target, parent, target, partition, month, (month + interval '1 month')::date);
        end if;
    end loop;
end $$;

-- Drops what was requested or happened before `cutoff`: months that ended before it, and rows of the smaller tables.
-- Alerts and their transitions stay for ever, as in their topic.
create function projector.drop_expired(cutoff timestamptz) returns integer
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

revoke all on all functions in schema projector from public;
grant usage on schema projector to vigilo_projector;
grant execute on all functions in schema projector to vigilo_projector;
