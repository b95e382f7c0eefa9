-- Rules may ask for reminders; channels may take alerts whose rule does not name them.
-- depends: 0006_signin

alter table config.alert_rules add column remind_every_minutes integer;
alter table config.channels add column routes jsonb[] not null default '{}';
