-- What searches may have seen of a namespace, counted.
CREATE TABLE rag_namespaces (
  namespace TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) WITHOUT ROWID;

-- A document as searches see it (`live`), and how far what was last asked for (`generation`) is done (`settled`).
CREATE TABLE rag_documents (
  namespace TEXT NOT NULL,
  id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0,
  live INTEGER,
  bucket TEXT,
  body TEXT,
  hash TEXT,
  given TEXT,
  etag TEXT,
  fingerprint TEXT,
  media_type TEXT,
  title TEXT,
  source TEXT,
  metadata TEXT NOT NULL DEFAULT '{}',
  bytes INTEGER NOT NULL DEFAULT 0,
  text_bytes INTEGER NOT NULL DEFAULT 0,
  chunks INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL,
  updated INTEGER,
  touched INTEGER NOT NULL,
  retry_at INTEGER NOT NULL DEFAULT 0,
  lease TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, id)
);
CREATE INDEX rag_documents_open ON rag_documents (touched) WHERE settled < generation;

-- One for each generation of a document: what was given, and how far it got.
CREATE TABLE rag_jobs (
  id TEXT PRIMARY KEY,
  namespace TEXT NOT NULL,
  document TEXT NOT NULL,
  generation INTEGER NOT NULL,
  action TEXT NOT NULL,
  state TEXT NOT NULL,
  step TEXT,
  done INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  embedded INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  warnings TEXT NOT NULL DEFAULT '[]',
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  planned INTEGER NOT NULL DEFAULT 0,
  bucket TEXT,
  body TEXT,
  hash TEXT,
  given TEXT,
  etag TEXT,
  fingerprint TEXT,
  record TEXT,
  media_type TEXT,
  title TEXT,
  source TEXT,
  metadata TEXT NOT NULL DEFAULT '{}',
  merged TEXT NOT NULL DEFAULT '{}',
  bytes INTEGER NOT NULL DEFAULT 0,
  text_bytes INTEGER NOT NULL DEFAULT 0,
  mutation TEXT,
  probe TEXT
);
CREATE UNIQUE INDEX rag_jobs_generation ON rag_jobs (namespace, document, generation);
CREATE INDEX rag_jobs_state ON rag_jobs (state, updated);

-- The chunks of each generation that is not forgotten; written here before the stores hear of them, and forgotten after. `written` says which
-- record of a chunk the stores have: none, `?` for one that may be another, or the digest of what goes along with the text.
CREATE TABLE rag_chunks (
  id TEXT NOT NULL,
  namespace TEXT NOT NULL,
  document TEXT NOT NULL,
  generation INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  text TEXT NOT NULL,
  embedded TEXT,
  heading TEXT NOT NULL,
  range_start INTEGER NOT NULL,
  range_end INTEGER NOT NULL,
  passage INTEGER,
  metadata TEXT NOT NULL,
  written TEXT
);
CREATE UNIQUE INDEX rag_chunks_place ON rag_chunks (namespace, document, generation, ordinal);
CREATE INDEX rag_chunks_id ON rag_chunks (id);

-- The larger texts around chunks, once for all chunks that share one.
CREATE TABLE rag_passages (
  namespace TEXT NOT NULL,
  document TEXT NOT NULL,
  generation INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  text TEXT NOT NULL,
  range_start INTEGER NOT NULL,
  range_end INTEGER NOT NULL,
  PRIMARY KEY (namespace, document, generation, ordinal)
);
