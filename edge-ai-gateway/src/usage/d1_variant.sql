-- The variant of an experiment that was drawn for a request, by a named choice of a weighted route.
ALTER TABLE usage_records ADD COLUMN variant TEXT;

CREATE INDEX IF NOT EXISTS usage_records_by_variant ON usage_records (variant, time_ms) WHERE variant IS NOT NULL;
