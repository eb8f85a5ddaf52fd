-- What guards found in a request and its answer, without the text: a JSON array, as `warnings` is.
ALTER TABLE usage_records ADD COLUMN guards TEXT NOT NULL DEFAULT '[]';
