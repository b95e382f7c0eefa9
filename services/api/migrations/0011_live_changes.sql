-- Changes of the configuration, told to those who follow a workspace live (services/api/live/notices.py has the form).
-- With the transaction: what was rolled back is never heard of, what is heard of can be read.
-- depends: 0010_deliveries_over

create function config.tell_change() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
declare
    name text := tg_argv[1];
    changed jsonb := jsonb_build_object(
        'kind', tg_argv[0],
        name, to_jsonb(new) -> name,
        'at', to_char(new.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
begin
    perform pg_notify('vigilo_changes', jsonb_build_object(
        'position', replace(gen_random_uuid()::text, '-', ''),
        'workspace', new.workspace_id,
        'changes', jsonb_build_array(changed))::text);
    return null;
end $$;
revoke all on function config.tell_change() from public;

do $$
declare
    told text[];
begin
    foreach told slice 1 in array array[
        ['hosts', 'host', 'host_id'], ['alert_rules', 'rule', 'rule_id'], ['channels', 'channel', 'channel_id'],
        ['snoozes', 'snooze', 'snooze_id'], ['workspaces', 'workspace', 'workspace_id']
    ] loop
        execute format('create trigger tell_new after insert on config.%I for each row '
                       'execute function config.tell_change(%L, %L)', told[1], told[2], told[3]);
        execute format('create trigger tell_changed after update on config.%I for each row '
                       'when (old.* is distinct from new.*) execute function config.tell_change(%L, %L)',
                       told[1], told[2], told[3]);
    end loop;
end $$;
