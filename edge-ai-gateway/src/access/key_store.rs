use std::sync::Arc;

use edge_ai_core::{Database, Error, ErrorKind, Result, Row, SqlValue, Statement, read_row};
use serde::{Deserialize, Serialize};

use super::key_format::KeyDigest;
use super::{KeyRecord, KeySettings, VirtualKey};

/// Virtual keys in tables.
#[derive(Clone, Debug)]
pub(crate) struct KeyStore(Arc<dyn Database>);

/// Some of the keys.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    /// For the next page; nothing on the last one.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` out of one more than that.
    pub(crate) fn of(mut data: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = data.len() > limit;
        data.truncate(limit);
        let next_cursor = data.last().filter(|_| more).map(cursor);
        Self { data, next_cursor }
    }
}

/// A key with the one of its secrets that was shown.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) key: KeyRecord,
    /// Until when the secret is good; as long as the key unless told.
    pub(super) valid_until_ms: Option<u64>,
}

impl KeyStore {
    pub(crate) fn new(database: Arc<dyn Database>) -> Self {
        Self(database)
    }

    /// The key that a digest is one of the secrets of.
    pub(super) async fn find(&self, digest: KeyDigest) -> Result<Option<Found>> {
        const FIND: &str = "SELECT k.id, k.tenant, k.settings, k.expires_at_ms, k.disabled, k.created_at_ms, k.updated_at_ms, \
             k.last_used_at_ms, s.valid_until_ms FROM key_secrets s JOIN keys k ON k.id = s.key_id WHERE s.digest = ?1";
        let mut rows = self
            .0
            .query(Statement::new(FIND, [digest.to_hex().into()]))
            .await?;
        rows.pop()
            .map(|mut row| {
                let valid_until_ms = row.remove("valid_until_ms").and_then(|value| value.as_u64());
                Ok(Found {
                    key: record(row)?,
                    valid_until_ms,
                })
            })
            .transpose()
    }

    /// Notes that a key was used, unless a later use is known.
    pub(super) async fn touch(&self, id: &str, now_ms: u64) -> Result<()> {
        const TOUCH: &str =
            "UPDATE keys SET last_used_at_ms = ?2 WHERE id = ?1 AND coalesce(last_used_at_ms, 0) < ?2";
        self.0
            .query(Statement::new(TOUCH, [id.into(), now_ms.into()]))
            .await
            .map(drop)
    }

    /// The key of an identifier.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for none.
    pub(crate) async fn get(&self, id: &str) -> Result<KeyRecord> {
        const GET: &str = "SELECT * FROM keys WHERE id = ?1";
        let mut rows = self.0.query(Statement::new(GET, [id.into()])).await?;
        rows.pop().map_or_else(|| Err(unknown(id)), record)
    }

    /// Keys, the newest first, of one tenant or of all.
    pub(crate) async fn list(
        &self,
        tenant: Option<&str>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Page<KeyRecord>> {
        const LIST: &str = "SELECT * FROM keys WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR id < ?2) \
             ORDER BY id DESC LIMIT ?3";
        let values = [
            tenant.into(),
            before.into(),
            u64::from(limit.saturating_add(1)).into(),
        ];
        let rows = self.0.query(Statement::new(LIST, values)).await?;
        let keys = rows.into_iter().map(record).collect::<Result<Vec<_>>>()?;
        Ok(Page::of(keys, limit, |key| key.id.clone()))
    }

    /// Keeps a new key with its secret, and a line about it in the same transaction; so for all that changes something.
    pub(crate) async fn insert(&self, key: &KeyRecord, secret: &VirtualKey, audit: Statement) -> Result<()> {
        const INSERT: &str = "INSERT INTO keys (id, tenant, settings, expires_at_ms, disabled, created_at_ms, updated_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
        let values = [
            key.id.as_str().into(),
            key.tenant.as_str().into(),
            stored(&key.settings)?,
            key.settings.expires_at_ms.into(),
            key.settings.disabled.into(),
            key.created_at_ms.into(),
        ];
        let statements = vec![
            Statement::new(INSERT, values),
            secret_row(&key.id, secret, key.created_at_ms),
            audit,
        ];
        self.0.batch(statements).await.map(drop)
    }

    /// Sets what a key's owner may do.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown key.
    pub(crate) async fn update(
        &self,
        id: &str,
        settings: &KeySettings,
        now_ms: u64,
        audit: Statement,
    ) -> Result<KeyRecord> {
        const UPDATE: &str = "UPDATE keys SET settings = ?2, expires_at_ms = ?3, disabled = ?4, updated_at_ms = ?5 WHERE id = ?1 \
             RETURNING *";
        let values = [
            id.into(),
            stored(settings)?,
            settings.expires_at_ms.into(),
            settings.disabled.into(),
            now_ms.into(),
        ];
        let rows = self.0.batch(vec![Statement::new(UPDATE, values), audit]).await?;
        let row = rows.into_iter().next().and_then(|mut rows| rows.pop());
        row.map_or_else(|| Err(unknown(id)), record)
    }

    /// Gives a key another secret; the earlier ones are good until a time, or as long as they already were.
    pub(crate) async fn rotate(
        &self,
        id: &str,
        secret: &VirtualKey,
        now_ms: u64,
        until_ms: u64,
        audit: Statement,
    ) -> Result<()> {
        const LIMIT: &str =
            "UPDATE key_secrets SET valid_until_ms = min(coalesce(valid_until_ms, ?2), ?2) WHERE key_id = ?1";
        const FORGET: &str = "DELETE FROM key_secrets WHERE key_id = ?1 AND valid_until_ms <= ?2";
        let statements = vec![
            Statement::new(LIMIT, [id.into(), until_ms.into()]),
            Statement::new(FORGET, [id.into(), now_ms.into()]),
            secret_row(id, secret, now_ms),
            audit,
        ];
        self.0.batch(statements).await.map(drop)
    }

    /// Removes a key with its secrets.
    pub(crate) async fn delete(&self, id: &str, audit: Statement) -> Result<()> {
        let statements = vec![
            Statement::new("DELETE FROM key_secrets WHERE key_id = ?1", [id.into()]),
            Statement::new("DELETE FROM keys WHERE id = ?1", [id.into()]),
            audit,
        ];
        self.0.batch(statements).await.map(drop)
    }

    /// What may be shown of a key's secrets, the newest first.
    pub(crate) async fn secrets(&self, id: &str) -> Result<Vec<SecretInfo>> {
        const SECRETS: &str = "SELECT start, created_at_ms, valid_until_ms FROM key_secrets WHERE key_id = ?1 ORDER BY created_at_ms DESC, \
             valid_until_ms IS NOT NULL";
        let rows = self.0.query(Statement::new(SECRETS, [id.into()])).await?;
        rows.into_iter().map(read_row).collect()
    }
}

/// What may be shown of a secret.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SecretInfo {
    /// Its first characters.
    pub(crate) start: String,
    pub(crate) created_at_ms: u64,
    pub(crate) valid_until_ms: Option<u64>,
}

fn secret_row(id: &str, secret: &VirtualKey, now_ms: u64) -> Statement {
    const INSERT: &str =
        "INSERT INTO key_secrets (digest, key_id, start, created_at_ms) VALUES (?1, ?2, ?3, ?4)";
    let values = [
        secret.digest().to_hex().into(),
        id.into(),
        secret.start().into(),
        now_ms.into(),
    ];
    Statement::new(INSERT, values)
}

/// The settings without those that have columns of their own.
fn stored(settings: &KeySettings) -> Result<SqlValue> {
    let settings = KeySettings {
        expires_at_ms: None,
        disabled: false,
        ..settings.clone()
    };
    serde_json::to_string(&settings)
        .map(Into::into)
        .map_err(|error| Error::new(ErrorKind::Internal, "settings cannot be written").with_source(error))
}

fn record(row: Row) -> Result<KeyRecord> {
    #[derive(Deserialize)]
    struct Stored {
        id: String,
        tenant: String,
        settings: String,
        expires_at_ms: Option<u64>,
        disabled: u8,
        created_at_ms: u64,
        updated_at_ms: u64,
        last_used_at_ms: Option<u64>,
    }
    let row: Stored = read_row(row)?;
    let mut settings: KeySettings = serde_json::from_str(&row.settings).map_err(|error| {
        let message = format!(
            "the settings of the key `{}` do not read; set them again: {error}",
            row.id
        );
        Error::new(ErrorKind::Configuration, message)
    })?;
    settings.expires_at_ms = row.expires_at_ms;
    settings.disabled = row.disabled != 0;
    Ok(KeyRecord {
        id: row.id,
        tenant: row.tenant,
        settings,
        created_at_ms: row.created_at_ms,
        updated_at_ms: row.updated_at_ms,
        last_used_at_ms: row.last_used_at_ms,
    })
}

fn unknown(id: &str) -> Error {
    let shown: String = id.chars().take(64).collect();
    let message = format!("there is no key `{shown}`; GET /admin/keys lists them");
    Error::new(ErrorKind::NotFound, message)
        .with_param("id")
        .with_code("key_not_found")
}
