-- Deliveries of every kind of channel: the ledger keeps what is told, not how; channels get a rate, a circuit and routes.
-- depends: 0007_reminders_and_routes

alter table notifier.channels
    add column routes        jsonb not null default '[]',
    -- The token bucket; null is a full one.
    add column tokens        double precision,
    add column tokens_at     timestamptz,
    -- Failures in a row that say that the receiver is down.
    add column failures      integer not null default 0,
    -- The first failure, of any sort, since the last success.
    add column failing_since timestamptz,
    -- Null while the circuit is closed.
    add column opened_at     timestamptz,
    add column probes        integer not null default 0,
    add column probe_at      timestamptz,
    -- The `failing_since` that other channels were told of.
    add column told_failing  timestamptz,
    -- Nothing of this channel can be sent before.
    add column hold_until    timestamptz,
    add column repeated_at   timestamptz;
create index channels_of_workspace on notifier.channels (workspace_id);

alter table notifier.deliveries
    -- The order in which deliveries were entered.
    add column position      bigint generated always as identity,
    add column entered_at    timestamptz not null default now(),
    add column settled_at    timestamptz,
    -- The instant of the transition.
    add column told_at       timestamptz,
    add column rule_id       uuid,
    add column cause         text,
    -- How much of its schedule it has used up; probes of an open circuit use up nothing.
    add column step          integer not null default 0,
    -- A request may be under way until then.
    add column claimed_until timestamptz,
    -- A person wants it to be sent again.
    add column asked_again   boolean not null default false,
    -- It went out in the message of that delivery.
    add column digest_id     uuid,
    add column telling       jsonb;

-- Forced row-level security binds the owner too: without this it would see no row to convert.
alter table notifier.deliveries no force row level security;
alter table notifier.deliveries disable row level security;
-- Rows of before hold the body of a webhook, which has all a transition has but who decided it: no message shows that.
update notifier.deliveries set
    step = attempt,
    told_at = (message ->> 'timestamp')::timestamptz,
    rule_id = (message -> 'data' -> 'rule' ->> 'rule_id')::uuid,
    cause = case when alert_id is not null then 'scan' end,
    telling = case
        when alert_id is null then jsonb_build_object(
            'kind', 'test',
            'channel', coalesce(message -> 'data' ->> 'channel', ''),
            'by', coalesce(message -> 'data' ->> 'by', ''),
            'at', message ->> 'timestamp')
        else jsonb_build_object('kind', 'transition', 'transition', jsonb_build_object(
            'transition_id', transition_id, 'alert_id', alert_id, 'n', n, 'kind', kind, 'workspace_id', workspace_id,
            'episode', message -> 'data' -> 'episode',
            'host', message -> 'data' -> 'host',
            'rule', message -> 'data' -> 'rule',
            'summary', message -> 'data' -> 'summary',
            'facts', message -> 'data' -> 'facts',
            'close_reason', message -> 'data' -> 'close_reason',
            'opened_at', message -> 'data' -> 'opened_at',
            'at', message -> 'data' -> 'at',
            'note', message -> 'data' -> 'note',
            'by', message -> 'data' -> 'by',
            'decided_by', jsonb_build_object(
                'topic', 'unknown', 'partition', 0, 'offset', 0, 'ce_id', 'unknown',
                'config_version', '{}'::jsonb, 'at', message -> 'data' -> 'at')))
    end;
alter table notifier.deliveries alter column telling set not null, drop column message;
alter table notifier.deliveries enable row level security;
alter table notifier.deliveries force row level security;

drop index notifier.deliveries_due;
create index deliveries_due on notifier.deliveries (channel_id, next_attempt_at) where status in ('waiting', 'retrying');
create index deliveries_in_order on notifier.deliveries (channel_id, position) where status in ('waiting', 'retrying');
create index deliveries_of_digest on notifier.deliveries (digest_id) where digest_id is not null;
create index deliveries_by_transition on notifier.deliveries (channel_id, told_at);

-- Commands that were carried out: the same one, delivered twice, is carried out once.
create table notifier.commands_done (
    command_id   uuid        primary key,
    workspace_id uuid        not null,
    at           timestamptz not null
);
alter table notifier.commands_done enable row level security;
alter table notifier.commands_done force row level security;
create policy notifier on notifier.commands_done to vigilo_notifier using (true) with check (true);
grant select, insert, delete on notifier.commands_done to vigilo_notifier;
