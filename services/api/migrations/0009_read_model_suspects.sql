-- Which hosts were last scanned while their pool's own network seemed lost: few, and asked for all the time.
-- depends: 0008_read_model_digests

create index host_latest_suspect on read_model.host_latest (finished_at) where pool_suspect;
