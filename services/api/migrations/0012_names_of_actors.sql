-- Today's names of those who acknowledge alerts and test channels, for the notifier's messages: events and the ledger
-- keep ids alone (services/api/auth.py, Caller.name), for they outlive the person.
-- depends: 0011_live_changes

-- The actors of a workspace: its members, and its tokens that act for nobody. Revoked tokens keep their name, as in the
-- audit log; who is no member any more has none. It reads with its owner's rights, as notifier.channel_secrets does, and
-- the owner has policies for these tables: token_owner (0001), owner (0004).
create view notifier.actor_names with (security_barrier = true, security_invoker = false) as
    select t.workspace_id, 'token:' || t.token_id as actor, t.name
    from config.tokens t where t.user_id is null
    union all
    select m.workspace_id, 'user:' || u.user_id, coalesce(nullif(u.name, ''), u.email)
    from config.memberships m join config.users u on u.user_id = m.user_id;
grant select on notifier.actor_names to vigilo_notifier;
