-- The trace of a request, what its answer from a cache saved, and whether its tokens were counted roughly.
ALTER TABLE usage_records ADD COLUMN usage_estimated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_records ADD COLUMN saved_nano_dollars INTEGER;
ALTER TABLE usage_records ADD COLUMN finish_reason TEXT;
ALTER TABLE usage_records ADD COLUMN trace_id TEXT;
ALTER TABLE usage_records ADD COLUMN span_id TEXT;
ALTER TABLE usage_records ADD COLUMN parent_span_id TEXT;

CREATE INDEX IF NOT EXISTS usage_records_by_trace ON usage_records (trace_id) WHERE trace_id IS NOT NULL;

-- The models that have answered, at most 500: others are counted together as `_other`, so that made-up names cannot fill the counters.
CREATE TABLE IF NOT EXISTS usage_models (
    id       INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    model    TEXT NOT NULL,
    UNIQUE (provider, model)
) STRICT;

-- A record as what is added to the counters: `dN` and `fN` say into which bucket its latency and its time to the first content fall, with the
-- bounds 10, 20, 40 … 81,920 ms. What is unknown is empty.
CREATE VIEW IF NOT EXISTS usage_points AS
SELECT
    r.request_id,
    r.time_ms,
    r.time_ms - r.time_ms % 3600000 AS hour_ms,
    coalesce(r.tenant, '') AS tenant,
    coalesce(r.key, '') AS key,
    r.operation,
    coalesce(r.provider, '') AS provider,
    coalesce(
        (SELECT m.model FROM usage_models AS m WHERE m.provider = coalesce(r.provider, '') AND m.model = coalesce(r.model, '')),
        '_other'
    ) AS model,
    r.outcome,
    coalesce(r.cache, '') AS cache,
    1 AS requests,
    coalesce(r.input_tokens, 0) AS input_tokens,
    coalesce(r.output_tokens, 0) AS output_tokens,
    coalesce(r.cache_read_tokens, 0) AS cache_read_tokens,
    coalesce(r.cache_write_tokens, 0) AS cache_write_tokens,
    coalesce(r.reasoning_tokens, 0) AS reasoning_tokens,
    coalesce(r.cost_nano_dollars, 0) AS cost_nano_dollars,
    coalesce(r.saved_nano_dollars, 0) AS saved_nano_dollars,
    r.cost_nano_dollars IS NULL AND r.outcome = 'ok' AS unpriced,
    r.usage_estimated AS estimated,
    json_array_length(r.attempts) AS attempts,
    r.latency_ms,
    coalesce(r.time_to_first_token_ms, 0) AS first_ms,
    r.latency_ms <= 10 AS d0, r.latency_ms > 10 AND r.latency_ms <= 20 AS d1, r.latency_ms > 20 AND r.latency_ms <= 40 AS d2,
    r.latency_ms > 40 AND r.latency_ms <= 80 AS d3, r.latency_ms > 80 AND r.latency_ms <= 160 AS d4,
    r.latency_ms > 160 AND r.latency_ms <= 320 AS d5, r.latency_ms > 320 AND r.latency_ms <= 640 AS d6,
    r.latency_ms > 640 AND r.latency_ms <= 1280 AS d7, r.latency_ms > 1280 AND r.latency_ms <= 2560 AS d8,
    r.latency_ms > 2560 AND r.latency_ms <= 5120 AS d9, r.latency_ms > 5120 AND r.latency_ms <= 10240 AS d10,
    r.latency_ms > 10240 AND r.latency_ms <= 20480 AS d11, r.latency_ms > 20480 AND r.latency_ms <= 40960 AS d12,
    r.latency_ms > 40960 AND r.latency_ms <= 81920 AS d13, r.latency_ms > 81920 AS d14,
    coalesce(r.time_to_first_token_ms <= 10, 0) AS f0,
    coalesce(r.time_to_first_token_ms > 10 AND r.time_to_first_token_ms <= 20, 0) AS f1,
    coalesce(r.time_to_first_token_ms > 20 AND r.time_to_first_token_ms <= 40, 0) AS f2,
    coalesce(r.time_to_first_token_ms > 40 AND r.time_to_first_token_ms <= 80, 0) AS f3,
    coalesce(r.time_to_first_token_ms > 80 AND r.time_to_first_token_ms <= 160, 0) AS f4,
    coalesce(r.time_to_first_token_ms > 160 AND r.time_to_first_token_ms <= 320, 0) AS f5,
    coalesce(r.time_to_first_token_ms > 320 AND r.time_to_first_token_ms <= 640, 0) AS f6,
    coalesce(r.time_to_first_token_ms > 640 AND r.time_to_first_token_ms <= 1280, 0) AS f7,
    coalesce(r.time_to_first_token_ms > 1280 AND r.time_to_first_token_ms <= 2560, 0) AS f8,
    coalesce(r.time_to_first_token_ms > 2560 AND r.time_to_first_token_ms <= 5120, 0) AS f9,
    coalesce(r.time_to_first_token_ms > 5120 AND r.time_to_first_token_ms <= 10240, 0) AS f10,
    coalesce(r.time_to_first_token_ms > 10240 AND r.time_to_first_token_ms <= 20480, 0) AS f11,
    coalesce(r.time_to_first_token_ms > 20480 AND r.time_to_first_token_ms <= 40960, 0) AS f12,
    coalesce(r.time_to_first_token_ms > 40960 AND r.time_to_first_token_ms <= 81920, 0) AS f13,
    coalesce(r.time_to_first_token_ms > 81920, 0) AS f14
FROM usage_records AS r;

-- By the hour, for the dashboard. What is old may be deleted.
CREATE TABLE IF NOT EXISTS usage_hours (
    hour_ms INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    operation TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    cache TEXT NOT NULL,
    requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, cost_nano_dollars INTEGER NOT NULL,
    saved_nano_dollars INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, attempts INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL, d0 INTEGER NOT NULL, d1 INTEGER NOT NULL, d2 INTEGER NOT NULL,
    d3 INTEGER NOT NULL, d4 INTEGER NOT NULL, d5 INTEGER NOT NULL, d6 INTEGER NOT NULL, d7 INTEGER NOT NULL, d8 INTEGER NOT NULL,
    d9 INTEGER NOT NULL, d10 INTEGER NOT NULL, d11 INTEGER NOT NULL, d12 INTEGER NOT NULL, d13 INTEGER NOT NULL,
    d14 INTEGER NOT NULL, f0 INTEGER NOT NULL, f1 INTEGER NOT NULL, f2 INTEGER NOT NULL, f3 INTEGER NOT NULL, f4 INTEGER NOT NULL,
    f5 INTEGER NOT NULL, f6 INTEGER NOT NULL, f7 INTEGER NOT NULL, f8 INTEGER NOT NULL, f9 INTEGER NOT NULL, f10 INTEGER NOT NULL,
    f11 INTEGER NOT NULL, f12 INTEGER NOT NULL, f13 INTEGER NOT NULL, f14 INTEGER NOT NULL,
    PRIMARY KEY (hour_ms, tenant, key, operation, provider, model, outcome, cache)
) STRICT, WITHOUT ROWID;

-- Since the beginning, for Prometheus: these only grow.
CREATE TABLE IF NOT EXISTS usage_counters (
    operation TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    outcome TEXT NOT NULL,
    cache TEXT NOT NULL,
    requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, cost_nano_dollars INTEGER NOT NULL,
    saved_nano_dollars INTEGER NOT NULL, unpriced INTEGER NOT NULL, estimated INTEGER NOT NULL, attempts INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL, d0 INTEGER NOT NULL, d1 INTEGER NOT NULL, d2 INTEGER NOT NULL,
    d3 INTEGER NOT NULL, d4 INTEGER NOT NULL, d5 INTEGER NOT NULL, d6 INTEGER NOT NULL, d7 INTEGER NOT NULL, d8 INTEGER NOT NULL,
    d9 INTEGER NOT NULL, d10 INTEGER NOT NULL, d11 INTEGER NOT NULL, d12 INTEGER NOT NULL, d13 INTEGER NOT NULL,
    d14 INTEGER NOT NULL, f0 INTEGER NOT NULL, f1 INTEGER NOT NULL, f2 INTEGER NOT NULL, f3 INTEGER NOT NULL, f4 INTEGER NOT NULL,
    f5 INTEGER NOT NULL, f6 INTEGER NOT NULL, f7 INTEGER NOT NULL, f8 INTEGER NOT NULL, f9 INTEGER NOT NULL, f10 INTEGER NOT NULL,
    f11 INTEGER NOT NULL, f12 INTEGER NOT NULL, f13 INTEGER NOT NULL, f14 INTEGER NOT NULL,
    PRIMARY KEY (operation, provider, model, outcome, cache)
) STRICT, WITHOUT ROWID;

-- In the transaction that keeps the record, and only if it was not there yet: a record that arrives twice counts once.
CREATE TRIGGER IF NOT EXISTS usage_records_count AFTER INSERT ON usage_records BEGIN
    INSERT OR IGNORE INTO usage_models (provider, model)
    SELECT coalesce(NEW.provider, ''), coalesce(NEW.model, '')
    WHERE NEW.outcome = 'ok' AND coalesce((SELECT max(id) FROM usage_models), 0) < 500;
    INSERT INTO usage_hours (hour_ms, tenant, key, operation, provider, model, outcome, cache, requests, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, reasoning_tokens, cost_nano_dollars, saved_nano_dollars, unpriced, estimated, attempts, latency_ms,
        first_ms, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10,
        f11, f12, f13, f14)
    SELECT hour_ms, tenant, key, operation, provider, model, outcome, cache, requests, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, reasoning_tokens, cost_nano_dollars, saved_nano_dollars, unpriced, estimated, attempts, latency_ms,
        first_ms, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10,
        f11, f12, f13, f14
    FROM usage_points WHERE request_id = NEW.request_id
    ON CONFLICT DO UPDATE SET
        requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens, cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,
        cost_nano_dollars = cost_nano_dollars + excluded.cost_nano_dollars,
        saved_nano_dollars = saved_nano_dollars + excluded.saved_nano_dollars, unpriced = unpriced + excluded.unpriced,
        estimated = estimated + excluded.estimated, attempts = attempts + excluded.attempts,
        latency_ms = latency_ms + excluded.latency_ms, first_ms = first_ms + excluded.first_ms, d0 = d0 + excluded.d0,
        d1 = d1 + excluded.d1, d2 = d2 + excluded.d2, d3 = d3 + excluded.d3, d4 = d4 + excluded.d4, d5 = d5 + excluded.d5,
        d6 = d6 + excluded.d6, d7 = d7 + excluded.d7, d8 = d8 + excluded.d8, d9 = d9 + excluded.d9, d10 = d10 + excluded.d10,
        d11 = d11 + excluded.d11, d12 = d12 + excluded.d12, d13 = d13 + excluded.d13, d14 = d14 + excluded.d14,
        f0 = f0 + excluded.f0, f1 = f1 + excluded.f1, f2 = f2 + excluded.f2, f3 = f3 + excluded.f3, f4 = f4 + excluded.f4,
        f5 = f5 + excluded.f5, f6 = f6 + excluded.f6, f7 = f7 + excluded.f7, f8 = f8 + excluded.f8, f9 = f9 + excluded.f9,
        f10 = f10 + excluded.f10, f11 = f11 + excluded.f11, f12 = f12 + excluded.f12, f13 = f13 + excluded.f13,
        f14 = f14 + excluded.f14;
    INSERT INTO usage_counters (operation, provider, model, outcome, cache, requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
        reasoning_tokens, cost_nano_dollars, saved_nano_dollars, unpriced, estimated, attempts, latency_ms, first_ms, d0, d1, d2,
        d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14)
    SELECT operation, provider, model, outcome, cache, requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
        reasoning_tokens, cost_nano_dollars, saved_nano_dollars, unpriced, estimated, attempts, latency_ms, first_ms, d0, d1, d2,
        d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14
    FROM usage_points WHERE request_id = NEW.request_id
    ON CONFLICT DO UPDATE SET
        requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens, cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens,
        cost_nano_dollars = cost_nano_dollars + excluded.cost_nano_dollars,
        saved_nano_dollars = saved_nano_dollars + excluded.saved_nano_dollars, unpriced = unpriced + excluded.unpriced,
        estimated = estimated + excluded.estimated, attempts = attempts + excluded.attempts,
        latency_ms = latency_ms + excluded.latency_ms, first_ms = first_ms + excluded.first_ms, d0 = d0 + excluded.d0,
        d1 = d1 + excluded.d1, d2 = d2 + excluded.d2, d3 = d3 + excluded.d3, d4 = d4 + excluded.d4, d5 = d5 + excluded.d5,
        d6 = d6 + excluded.d6, d7 = d7 + excluded.d7, d8 = d8 + excluded.d8, d9 = d9 + excluded.d9, d10 = d10 + excluded.d10,
        d11 = d11 + excluded.d11, d12 = d12 + excluded.d12, d13 = d13 + excluded.d13, d14 = d14 + excluded.d14,
        f0 = f0 + excluded.f0, f1 = f1 + excluded.f1, f2 = f2 + excluded.f2, f3 = f3 + excluded.f3, f4 = f4 + excluded.f4,
        f5 = f5 + excluded.f5, f6 = f6 + excluded.f6, f7 = f7 + excluded.f7, f8 = f8 + excluded.f8, f9 = f9 + excluded.f9,
        f10 = f10 + excluded.f10, f11 = f11 + excluded.f11, f12 = f12 + excluded.f12, f13 = f13 + excluded.f13,
        f14 = f14 + excluded.f14;
END;
