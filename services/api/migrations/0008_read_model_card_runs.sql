-- Runs of report cards that tell alert rules the same (vigilo/alerting/runs.py): what previews read in place of cards.
-- depends: 0007_reminders_and_routes

create table read_model.card_runs (
    host_id        uuid not null,
    workspace_id   uuid not null,
    first_at       timestamptz not null,
    first_scan_id  uuid not null,
    last_at        timestamptz not null,
    last_scan_id   uuid not null,
    cards          integer not null,
    longest_gap_us bigint not null,
    early          timestamptz[] not null,
    host_version   integer not null,
    peer           jsonb not null,
    known          jsonb not null,
    course         jsonb not null,
    moved          text[] not null,
    primary key (host_id, first_at, first_scan_id)
) with (fillfactor = 70);

alter table read_model.card_runs enable row level security;
alter table read_model.card_runs force row level security;
create policy projector on read_model.card_runs to vigilo_projector using (true) with check (true);
create policy owner on read_model.card_runs to vigilo_migrator using (true) with check (true);
create policy own_workspace on read_model.card_runs for select to vigilo_api
    using (workspace_id = (select config.current_workspace()));
grant select, insert, update on read_model.card_runs to vigilo_projector;
grant select on read_model.card_runs to vigilo_api;
