-- The notifier forgets deliveries that are over when they are as old as all history that is kept.
-- depends: 0008_deliveries 0009_pool_notices

-- Each of these is, or ends, all that one channel was told of something.
create index deliveries_over on notifier.deliveries (channel_id, coalesce(settled_at, entered_at))
    where status in ('delivered', 'failed', 'superseded') and kind not in ('opened', 'acknowledged', 'reminder');
grant delete on notifier.deliveries to vigilo_notifier;
