-- Deliveries that went out together name the one whose message it was; channels are asked for what still waits.
-- depends: 0007_reminders_and_routes

alter table read_model.deliveries add column digest_id uuid;
create index deliveries_waiting on read_model.deliveries (channel_id) where status = 'retrying';
