//! Bring your own key: tenants' keys for vendors, encrypted at rest.

mod cipher;
mod master;
#[cfg(feature = "worker")]
mod web_crypto;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edge_ai_core::{
    Credential, Credentials, Database, Entropy, Error, ErrorKind, Result, Secret, Statement, Timestamp,
    read_row,
};
use serde::{Deserialize, Serialize};

use crate::access::{Knowledge, Known};
pub use cipher::Cipher;
pub use master::MasterKeys;

/// How long what was read of a tenant's keys counts.
const TTL: Duration = Duration::from_secs(60);
/// For how long it does while the database does not answer.
const OUTAGE: Duration = Duration::from_secs(3_600);
/// How long the database is left alone after it has not answered.
const PAUSE: Duration = Duration::from_secs(5);
/// How many tenants an isolate remembers, most of them with no keys.
const CAPACITY: usize = 1_024;
/// How many keys a tenant may have under one alias: there are no more providers.
const KEYS: u64 = 64;

/// Where the keys come from that tenants have for vendors.
#[async_trait]
pub trait CredentialSource: fmt::Debug + Send + Sync + 'static {
    /// The tenant's keys under `alias`; without any, the operator's are used.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] for an alias that the tenant does not have; [`ErrorKind::Unavailable`] when it cannot be told, so that
    /// the operator never pays for it.
    async fn credentials(&self, tenant: &str, alias: Option<&str>, now: Timestamp) -> Result<Credentials>;
}

/// Tenants' keys for vendors in a [`Database`], under AES-256-GCM with a [master key](MasterKeys) that is not in it.
///
/// Each is bound to its place (tenant, provider, alias and version): a row that is copied to another tenant, or an old one that is put back,
/// does not open. A change is known in every isolate within 60 seconds; while the database does not answer, what is known counts for an hour.
#[derive(Clone)]
pub struct VendorKeys(Arc<Inner>);

struct Inner {
    database: Arc<dyn Database>,
    cipher: Arc<dyn Cipher>,
    masters: MasterKeys,
    known: Known<(String, String), Credentials>,
}

/// The alias of keys that have none.
pub(crate) const DEFAULT_ALIAS: &str = "default";

/// What may be shown of a vendor key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VendorKeyInfo {
    pub(crate) provider: String,
    pub(crate) alias: String,
    pub(crate) version: u64,
    /// Which master key it is under.
    pub(crate) master_key: String,
    /// Its last four characters.
    pub(crate) hint: String,
    pub(crate) created_at_ms: u64,
    pub(crate) updated_at_ms: u64,
}

/// Where a key belongs: what its ciphertext is bound to.
pub(crate) struct Place<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) alias: &'a str,
}

impl Place<'_> {
    /// None of the parts has a NUL, so no two places have the same data.
    fn data(&self, version: u64) -> Vec<u8> {
        format!(
            "edge-ai vendor key 1\0{}\0{}\0{}\0{version}",
            self.tenant, self.provider, self.alias
        )
        .into_bytes()
    }
}

#[derive(Deserialize)]
struct Sealed {
    tenant: String,
    provider: String,
    alias: String,
    version: u64,
    master_key: String,
    sealed: String,
}

impl Sealed {
    fn place(&self) -> Place<'_> {
        Place {
            tenant: &self.tenant,
            provider: &self.provider,
            alias: &self.alias,
        }
    }
}

impl VendorKeys {
    /// The keys of a database, which [`VirtualKeys::MIGRATION`](crate::VirtualKeys::MIGRATION) gives the table.
    pub fn new(database: impl Database, cipher: impl Cipher, masters: MasterKeys) -> Self {
        Self(Arc::new(Inner {
            database: Arc::new(database),
            cipher: Arc::new(cipher),
            masters,
            known: Known::new(CAPACITY),
        }))
    }

    /// The same with the Worker's own cryptography.
    #[cfg(feature = "worker")]
    pub fn in_worker(database: impl Database, masters: MasterKeys) -> Self {
        Self::new(database, edge_ai_worker::WebCrypto, masters)
    }

    /// What may be shown of a tenant's keys.
    pub(crate) async fn list(&self, tenant: &str) -> Result<Vec<VendorKeyInfo>> {
        const LIST: &str = "SELECT provider, alias, version, master_key, hint, created_at_ms, updated_at_ms FROM vendor_keys \
             WHERE tenant = ?1 ORDER BY provider, alias";
        let rows = self
            .0
            .database
            .query(Statement::new(LIST, [tenant.into()]))
            .await?;
        rows.into_iter().map(read_row).collect()
    }

    /// Keeps a tenant's key; the same place is written over.
    pub(crate) async fn put(
        &self,
        place: &Place<'_>,
        key: &Secret,
        entropy: &dyn Entropy,
        now_ms: u64,
        audit: Statement,
    ) -> Result<VendorKeyInfo> {
        const VERSION: &str =
            "SELECT version FROM vendor_keys WHERE tenant = ?1 AND provider = ?2 AND alias = ?3";
        const PUT: &str = "INSERT INTO vendor_keys (tenant, provider, alias, version, master_key, sealed, hint, created_at_ms, updated_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) ON CONFLICT (tenant, provider, alias) DO UPDATE SET version = excluded.version, \
             master_key = excluded.master_key, sealed = excluded.sealed, hint = excluded.hint, updated_at_ms = excluded.updated_at_ms \
             WHERE vendor_keys.version < excluded.version RETURNING provider, alias, version, master_key, hint, created_at_ms, updated_at_ms";
        let at = || [place.tenant.into(), place.provider.into(), place.alias.into()];
        let rows = self.0.database.query(Statement::new(VERSION, at())).await?;
        let known = rows.first().and_then(|row| row.get("version")?.as_u64());
        let version = known.unwrap_or_default() + 1;
        let sealed = self.seal(&place.data(version), key, entropy).await?;
        let mut values = at().to_vec();
        values.extend([
            version.into(),
            self.0.masters.current().id.as_str().into(),
            sealed.into(),
            hint(key).into(),
            now_ms.into(),
        ]);
        let rows = self
            .0
            .database
            .batch(vec![Statement::new(PUT, values), audit])
            .await?;
        self.forget(place.tenant);
        let row = rows.into_iter().next().and_then(|mut rows| rows.pop());
        row.map_or_else(
            || {
                let message = "somebody else has set this key at the same time; look at it, and set it again if need be";
                Err(Error::new(ErrorKind::Unavailable, message).with_status(409).with_code("conflict"))
            },
            read_row,
        )
    }

    /// Removes a tenant's key.
    pub(crate) async fn delete(&self, place: &Place<'_>, audit: Statement) -> Result<()> {
        const DELETE: &str = "DELETE FROM vendor_keys WHERE tenant = ?1 AND provider = ?2 AND alias = ?3";
        let values = [place.tenant.into(), place.provider.into(), place.alias.into()];
        self.0
            .database
            .batch(vec![Statement::new(DELETE, values), audit])
            .await?;
        self.forget(place.tenant);
        Ok(())
    }

    /// Puts some of the keys that are under an earlier master key under the current one; says how many, and how many are left.
    pub(crate) async fn reseal(&self, entropy: &dyn Entropy, audit: Statement) -> Result<(u64, u64)> {
        const SOME: &str = "SELECT tenant, provider, alias, version, master_key, sealed FROM vendor_keys WHERE master_key <> ?1 LIMIT 50";
        const SET: &str = "UPDATE vendor_keys SET master_key = ?4, sealed = ?5 WHERE tenant = ?1 AND provider = ?2 AND alias = ?3 AND version = ?6";
        const LEFT: &str = "SELECT count(*) AS rows_left FROM vendor_keys WHERE master_key <> ?1";
        let current = self.0.masters.current().id.as_str();
        let rows = self
            .0
            .database
            .query(Statement::new(SOME, [current.into()]))
            .await?;
        let mut statements = Vec::with_capacity(rows.len() + 2);
        for row in rows {
            let row: Sealed = read_row(row)?;
            let key = self.open(&row).await?;
            let sealed = self.seal(&row.place().data(row.version), &key, entropy).await?;
            let values = [
                row.tenant.as_str().into(),
                row.provider.as_str().into(),
                row.alias.as_str().into(),
                current.into(),
                sealed.into(),
                row.version.into(),
            ];
            statements.push(Statement::new(SET, values));
        }
        let count = u64::try_from(statements.len()).unwrap_or(u64::MAX);
        statements.push(audit);
        statements.push(Statement::new(LEFT, [current.into()]));
        let mut rows = self.0.database.batch(statements).await?;
        let left = rows
            .pop()
            .and_then(|rows| rows.first()?.get("rows_left")?.as_u64());
        Ok((count, left.unwrap_or_default()))
    }

    async fn seal(&self, data: &[u8], key: &Secret, entropy: &dyn Entropy) -> Result<String> {
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().zip(
            [entropy.next_u64(), entropy.next_u64()]
                .iter()
                .flat_map(|bits| bits.to_le_bytes()),
        ) {
            *to = from;
        }
        let master = self.0.masters.current();
        let mut sealed = nonce.to_vec();
        sealed.extend(
            self.0
                .cipher
                .seal(&master.key, &nonce, data, key.expose().as_bytes())
                .await?,
        );
        Ok(STANDARD.encode(sealed))
    }

    async fn open(&self, row: &Sealed) -> Result<Secret> {
        let place = format!("`{}` of the tenant `{}`", row.provider, row.tenant);
        let wrong = |message: String| {
            Error::new(ErrorKind::Configuration, message).with_code("vendor_key_unreadable")
        };
        let master = self.0.masters.find(&row.master_key).ok_or_else(|| {
            wrong(format!(
                "the vendor key for {place} is under the master key `{}`, which is not in MASTER_KEY; add it, or set the vendor key again",
                row.master_key
            ))
        })?;
        let bytes = STANDARD.decode(&row.sealed).unwrap_or_default();
        let opened = match bytes.split_first_chunk::<12>() {
            Some((nonce, sealed)) => {
                let data = row.place().data(row.version);
                self.0.cipher.open(&master.key, nonce, &data, sealed).await?
            }
            None => None,
        };
        opened
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Secret::new)
            .ok_or_else(|| {
                wrong(format!(
                    "the vendor key for {place} does not open: its row was changed; set it again"
                ))
            })
    }

    fn forget(&self, tenant: &str) {
        self.0.known.forget(|(of, _), _| of == tenant);
    }

    async fn read(&self, tenant: &str, alias: &str, now: Timestamp) -> Result<Credentials> {
        const READ: &str = "SELECT tenant, provider, alias, version, master_key, sealed FROM vendor_keys WHERE tenant = ?1 AND alias = ?2 LIMIT ?3";
        let values = [tenant.into(), alias.into(), KEYS.into()];
        let mut credentials = Credentials::default();
        for row in self.0.database.query(Statement::new(READ, values)).await? {
            let row: Sealed = read_row(row)?;
            let id = format!("{tenant}/{}/{alias}/{}", row.provider, row.version);
            let key = self.open(&row).await?;
            credentials = credentials.with(row.provider, Credential::new(id, key.expose()));
        }
        self.0.known.put(
            (tenant.to_owned(), alias.to_owned()),
            credentials.clone(),
            now,
            TTL,
        );
        Ok(credentials)
    }
}

#[async_trait]
impl CredentialSource for VendorKeys {
    async fn credentials(&self, tenant: &str, alias: Option<&str>, now: Timestamp) -> Result<Credentials> {
        let name = alias.unwrap_or(DEFAULT_ALIAS);
        check_alias(name)?;
        let key = (tenant.to_owned(), name.to_owned());
        let credentials = match self.0.known.get(&key, now, TTL) {
            Knowledge::Fresh(credentials) => credentials,
            Knowledge::Stale(credentials, age) if age < OUTAGE => match self.read(tenant, name, now).await {
                Err(error) if error.is_retryable() => {
                    self.0.known.postpone(&key, now + PAUSE);
                    credentials
                }
                outcome => outcome.map_err(uncertain)?,
            },
            Knowledge::Ageing(credentials) => self.read(tenant, name, now).await.unwrap_or(credentials),
            _ => self.read(tenant, name, now).await.map_err(uncertain)?,
        };
        if credentials.is_empty()
            && let Some(alias) = alias
        {
            let message = format!(
                "the tenant has no vendor key by the alias `{alias}`; leave `cf-aig-byok-alias` out, or have one set"
            );
            return Err(Error::invalid("cf-aig-byok-alias", message));
        }
        Ok(credentials)
    }
}

impl fmt::Debug for VendorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorKeys")
            .field("database", &self.0.database)
            .field("masters", &self.0.masters)
            .finish_non_exhaustive()
    }
}

/// Refuses what no alias can be.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`] that names the header.
pub(crate) fn check_alias(alias: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=64).contains(&alias.len()) && alias.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::invalid(
        "alias",
        "an alias is 1 to 64 letters, digits, `-`, `_` and `.`",
    ))
}

/// The last four characters of a key that is long enough for them to tell nothing.
fn hint(key: &Secret) -> String {
    let key = key.expose();
    let last = key.len().checked_sub(4).filter(|_| key.len() >= 16);
    last.and_then(|at| key.get(at..)).unwrap_or_default().to_owned()
}

fn uncertain(error: Error) -> Error {
    if error.kind() == ErrorKind::Configuration {
        return error;
    }
    Error::new(
        ErrorKind::Unavailable,
        "the tenant's own vendor keys cannot be read for now; try again",
    )
    .with_code("vendor_keys_unavailable")
    .with_retry_after(PAUSE)
    .with_source(error)
}
