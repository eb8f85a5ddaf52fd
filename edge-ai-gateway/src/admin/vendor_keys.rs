use edge_ai_core::{Body, Error, ErrorKind, Result, Secret};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Told, Work};
use crate::access::check_tenant;
use crate::vendor_keys::{DEFAULT_ALIAS, Place, check_alias};

/// The body of `PUT /admin/tenants/{tenant}/vendor-keys/{provider}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    key: String,
}

impl Work<'_> {
    /// `GET /admin/tenants/{tenant}/vendor-keys`
    pub(super) async fn list_vendor_keys(&self, tenant: &str) -> Result<Told> {
        check_tenant("tenant", tenant)?;
        let keys = self.the_vendor_keys()?.list(tenant).await?;
        Ok((StatusCode::OK, json!({"data": keys})))
    }

    /// `PUT /admin/tenants/{tenant}/vendor-keys/{provider}`: no answer ever shows the key.
    pub(super) async fn put_vendor_key(&self, tenant: &str, provider: &str, body: Body) -> Result<Told> {
        let place = self.place(tenant, provider)?;
        let new: NewKey = self.read(body).await?;
        let fits =
            (8..=4_096).contains(&new.key.len()) && new.key.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            let message = "a vendor's key is 8 to 4096 visible ASCII characters without spaces";
            return Err(Error::invalid("key", message));
        }
        self.takes_keys(provider)?;
        let audit = self.audit(
            "vendor_key.put",
            Some(tenant),
            provider,
            &json!({"alias": place.alias}),
        );
        let info = self
            .the_vendor_keys()?
            .put(
                &place,
                &Secret::new(new.key),
                self.desk.entropy,
                self.now_ms(),
                audit,
            )
            .await?;
        Ok((StatusCode::OK, json!({"vendor_key": info})))
    }

    /// `DELETE /admin/tenants/{tenant}/vendor-keys/{provider}`: the operator's key is used from then on.
    pub(super) async fn delete_vendor_key(&self, tenant: &str, provider: &str) -> Result<Told> {
        let place = self.place(tenant, provider)?;
        let keys = self.the_vendor_keys()?;
        let known = keys.list(tenant).await?;
        if !known
            .iter()
            .any(|key| key.provider == provider && key.alias == place.alias)
        {
            let message = format!(
                "the tenant has no key for `{}` by the alias `{}`",
                shown(provider),
                place.alias
            );
            return Err(Error::new(ErrorKind::NotFound, message)
                .with_param("provider")
                .with_code("vendor_key_not_found"));
        }
        let audit = self.audit(
            "vendor_key.delete",
            Some(tenant),
            provider,
            &json!({"alias": place.alias}),
        );
        keys.delete(&place, audit).await?;
        let told = json!({"tenant": tenant, "provider": provider, "alias": place.alias, "deleted": true});
        Ok((StatusCode::OK, told))
    }

    /// `POST /admin/vendor-keys/reseal`: some of what is under an earlier master key; to be asked again while there is more.
    pub(super) async fn reseal_vendor_keys(&self) -> Result<Told> {
        self.expect_json()?;
        let audit = self.audit("vendor_key.reseal", None, "*", &json!({}));
        let (resealed, remaining) = self.the_vendor_keys()?.reseal(self.desk.entropy, audit).await?;
        Ok((
            StatusCode::OK,
            json!({"resealed": resealed, "remaining": remaining}),
        ))
    }

    fn place<'a>(&'a self, tenant: &'a str, provider: &'a str) -> Result<Place<'a>> {
        check_tenant("tenant", tenant)?;
        let alias = self.query.text("alias").unwrap_or(DEFAULT_ALIAS);
        check_alias(alias)?;
        Ok(Place {
            tenant,
            provider,
            alias,
        })
    }

    /// Refuses a provider for which a key would lie there unused.
    fn takes_keys(&self, provider: &str) -> Result<()> {
        let takes: Vec<_> = self
            .desk
            .table
            .providers()
            .iter()
            .filter(|provider| provider.takes_credentials())
            .map(|provider| provider.name())
            .collect();
        if takes.contains(&provider) {
            return Ok(());
        }
        let message = format!(
            "there is no provider `{}` here that takes a tenant's key; there is {}",
            shown(provider),
            takes.join(", ")
        );
        Err(Error::invalid("provider", message))
    }
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
