-- One row for every request that the gateway answered.
CREATE TABLE IF NOT EXISTS usage_records (
    request_id             TEXT PRIMARY KEY,
    time_ms                INTEGER NOT NULL,
    tenant                 TEXT,
    operation              TEXT NOT NULL,
    requested_model        TEXT NOT NULL,
    provider               TEXT,
    model                  TEXT,
    stream                 INTEGER NOT NULL,
    -- `ok`, or the kind of error, such as `rate_limited`, `interrupted`, `cancelled`.
    outcome                TEXT NOT NULL,
    -- What was said about a failure; the client may have been told less.
    error                  TEXT,
    -- NULL when no vendor said; that is not the same as 0.
    input_tokens           INTEGER,
    output_tokens          INTEGER,
    cache_read_tokens      INTEGER,
    cache_write_tokens     INTEGER,
    reasoning_tokens       INTEGER,
    -- Billionths of a dollar; NULL when the price is unknown.
    cost_nano_dollars      INTEGER,
    latency_ms             INTEGER NOT NULL,
    time_to_first_token_ms INTEGER,
    cache                  TEXT,
    attempts               TEXT NOT NULL,
    warnings               TEXT NOT NULL,
    metadata               TEXT NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS usage_records_by_time ON usage_records (time_ms);
CREATE INDEX IF NOT EXISTS usage_records_by_tenant ON usage_records (tenant, time_ms);
