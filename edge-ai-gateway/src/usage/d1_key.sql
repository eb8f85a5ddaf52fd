-- The public identifier of the key that a request came with.
ALTER TABLE usage_records ADD COLUMN key TEXT;

CREATE INDEX IF NOT EXISTS usage_records_by_key ON usage_records (key, time_ms);
