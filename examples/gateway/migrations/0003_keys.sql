-- Keys of the gateway's making. Of what opens a door, only digests are here.
CREATE TABLE IF NOT EXISTS keys (
    -- Public: it is in records, limits and answers.
    id              TEXT PRIMARY KEY,
    tenant          TEXT NOT NULL,
    -- What its owner may do, as JSON: name, models, limits, metadata.
    settings        TEXT NOT NULL,
    expires_at_ms   INTEGER,
    disabled        INTEGER NOT NULL DEFAULT 0,
    created_at_ms   INTEGER NOT NULL,
    updated_at_ms   INTEGER NOT NULL,
    -- Noted after answers, every few minutes.
    last_used_at_ms INTEGER
) STRICT;

CREATE INDEX IF NOT EXISTS keys_by_tenant ON keys (tenant, id);

-- A key has one secret, and for a while two when it is rotated.
CREATE TABLE IF NOT EXISTS key_secrets (
    -- SHA-256, in hexadecimal.
    digest         TEXT PRIMARY KEY,
    key_id         TEXT NOT NULL,
    -- The secret's first characters, for its owner to recognise it.
    start          TEXT NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    -- NULL for as long as the key.
    valid_until_ms INTEGER
) STRICT;

CREATE INDEX IF NOT EXISTS key_secrets_by_key ON key_secrets (key_id);

-- Tenants' own keys for vendors, encrypted.
CREATE TABLE IF NOT EXISTS vendor_keys (
    tenant        TEXT NOT NULL,
    provider      TEXT NOT NULL,
    alias         TEXT NOT NULL,
    -- Counts what was put here: an earlier ciphertext does not pass for a later one.
    version       INTEGER NOT NULL,
    -- Which master key it is under.
    master_key    TEXT NOT NULL,
    -- Nonce, ciphertext and tag of AES-256-GCM, in base64.
    sealed        TEXT NOT NULL,
    -- The key's last four characters.
    hint          TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, provider, alias)
) STRICT;

-- Who changed what, and when.
CREATE TABLE IF NOT EXISTS admin_audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    tenant  TEXT,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
) STRICT;
