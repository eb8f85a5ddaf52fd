//! `/admin/*`: keys, tenants, vendor keys, usage, purges of the cache and the trail of what was changed, over HTTP.

mod answer;
mod audit;
mod body;
mod cache;
mod guard;
mod keys;
mod operation;
mod query;
mod usage;
mod vendor_keys;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Body, CachePurge, Clock, Database, Entropy, Error, ErrorKind, Result};
use http::request::Parts;
use http::{Response, StatusCode};

use crate::access::{Authenticator, Presented, VirtualKeys};
use crate::route::RouteTable;
use crate::vendor_keys::VendorKeys;
pub use guard::AdminTokens;
use guard::Guard;
use operation::Operation;

/// The paths of the API.
pub(crate) const PREFIX: &str = "/admin/";

/// The API that operators manage keys by; [`GatewayBuilder::admin`](crate::GatewayBuilder::admin) serves it under `/admin/`.
///
/// It is described by [`Admin::OPENAPI`], which it serves as well. Whoever comes needs one of the [tokens](Self::tokens), or a token of an
/// identity provider with a [role](Self::role); a key for models does not open it. What is sent is JSON and says so, so that no page of
/// another site can send it. Each change leaves a row in `admin_audit`, in the same transaction.
pub struct Admin {
    guard: Guard,
    keys: VirtualKeys,
    vendor_keys: Option<VendorKeys>,
    database: Arc<dyn Database>,
}

impl Admin {
    /// The description of the API, in [OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.1.html).
    pub const OPENAPI: &str = include_str!("admin/openapi.json");

    /// Manages the keys of a database; usage is read from the same one.
    pub fn new(keys: VirtualKeys, database: impl Database) -> Self {
        Self {
            guard: Guard::default(),
            keys,
            vendor_keys: None,
            database: Arc::new(database),
        }
    }

    /// Lets in those with one of the tokens.
    #[must_use]
    pub fn tokens(mut self, tokens: AdminTokens) -> Self {
        self.guard.tokens = tokens;
        self
    }

    /// Lets in those whom `way` knows to have a role, such as the members of a group behind Cloudflare Access.
    #[must_use]
    pub fn role(mut self, way: impl Authenticator, role: impl Into<String>) -> Self {
        self.guard.roles.push((Arc::new(way), role.into()));
        self
    }

    /// Manages tenants' keys for vendors too.
    #[must_use]
    pub fn vendor_keys(mut self, vendor_keys: VendorKeys) -> Self {
        self.vendor_keys = Some(vendor_keys);
        self
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("keys", &self.keys)
            .field("vendor_keys", &self.vendor_keys)
            .finish_non_exhaustive()
    }
}

/// What the API needs of the gateway for one request.
pub(crate) struct Desk<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) presented: Presented<'a>,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) table: &'a RouteTable,
    pub(crate) purge: Option<&'a dyn CachePurge>,
}

/// Something that answers `/admin/*`: a gateway without it does not link it.
#[async_trait]
pub(crate) trait Surface: fmt::Debug + Send + Sync {
    async fn answer(&self, desk: Desk<'_>, body: Body) -> Result<Response<Body>>;
}

#[async_trait]
impl Surface for Admin {
    async fn answer(&self, desk: Desk<'_>, body: Body) -> Result<Response<Body>> {
        // Who may not come in does not learn what there is.
        let actor = self.guard.actor(&desk.presented).await?;
        let operation = Operation::at(&desk.head.method, desk.head.uri.path())?;
        let query = query::Query::of(desk.head.uri.query())?;
        let work = Work {
            admin: self,
            desk,
            actor,
            query,
        };
        let (status, value) = work.run(operation, body).await?;
        Ok(answer::json(status, &value))
    }
}

/// One request of somebody who may make it.
struct Work<'a> {
    admin: &'a Admin,
    desk: Desk<'a>,
    actor: String,
    query: query::Query,
}

/// A status and what is told with it.
type Told = (StatusCode, serde_json::Value);

impl Work<'_> {
    async fn run(self, operation: Operation, body: Body) -> Result<Told> {
        self.query.allow(operation.parameters())?;
        match operation {
            Operation::OpenApi => Ok((StatusCode::OK, answer::parsed(Admin::OPENAPI)?)),
            Operation::ListKeys => self.list_keys().await,
            Operation::CreateKey => self.create_key(body).await,
            Operation::GetKey(id) => self.get_key(&id).await,
            Operation::PutKey(id) => self.put_key(&id, body).await,
            Operation::DeleteKey(id) => self.delete_key(&id).await,
            Operation::RotateKey(id) => self.rotate_key(&id, body).await,
            Operation::ListTenants => self.list_tenants().await,
            Operation::ListVendorKeys(tenant) => self.list_vendor_keys(&tenant).await,
            Operation::PutVendorKey(tenant, provider) => self.put_vendor_key(&tenant, &provider, body).await,
            Operation::DeleteVendorKey(tenant, provider) => self.delete_vendor_key(&tenant, &provider).await,
            Operation::ResealVendorKeys => self.reseal_vendor_keys().await,
            Operation::PurgeCache => self.purge_cache(body).await,
            Operation::Usage => self.usage().await,
            Operation::Audit => self.list_audit().await,
        }
    }

    fn now_ms(&self) -> u64 {
        self.desk.presented.now.as_millis()
    }

    fn the_vendor_keys(&self) -> Result<&VendorKeys> {
        self.admin.vendor_keys.as_ref().ok_or_else(|| {
            let message = "this gateway keeps no vendor keys; set the secret MASTER_KEY (`openssl rand -base64 32`) and deploy it again";
            Error::new(ErrorKind::Unsupported, message).with_code("vendor_keys_off")
        })
    }
}
