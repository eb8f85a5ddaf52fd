use edge_ai_core::{Body, Error, Result, Statement};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Told, Work, answer};
use crate::access::{KeyRecord, KeySettings, KeyStore, Page, VirtualKey, check_tenant, new_id};

/// How long two secrets of a key are good unless told: a day, for whoever has to take up the new one.
const GRACE_SECONDS: u64 = 86_400;
/// The longest time: 90 days.
const MAX_GRACE_SECONDS: u64 = 90 * 86_400;

/// The body of `POST /admin/keys/{id}/rotate`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rotation {
    grace_seconds: Option<u64>,
}

impl Work<'_> {
    fn store(&self) -> &KeyStore {
        self.admin.keys.store()
    }

    /// `GET /admin/keys`
    pub(super) async fn list_keys(&self) -> Result<Told> {
        let (tenant, before) = (self.query.text("tenant"), self.query.text("cursor"));
        let page = self.store().list(tenant, before, self.query.limit()?).await?;
        Ok((StatusCode::OK, answer::told(&page)?))
    }

    /// `POST /admin/keys`: the one answer that shows the key.
    pub(super) async fn create_key(&self, body: Body) -> Result<Told> {
        let mut body: serde_json::Map<String, Value> = self.read(body).await?;
        let Some(Value::String(tenant)) = body.remove("tenant") else {
            return Err(Error::invalid(
                "tenant",
                "a tenant is needed, as text: whose key it is",
            ));
        };
        check_tenant("tenant", &tenant)?;
        let settings = self.checked(settings(Value::Object(body))?)?;
        let now_ms = self.now_ms();
        let secret = VirtualKey::generate(self.desk.entropy);
        let key = KeyRecord {
            id: new_id("key_", now_ms, self.desk.entropy),
            tenant,
            settings,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            last_used_at_ms: None,
        };
        let audit = self.audit(
            "key.create",
            Some(&key.tenant),
            &key.id,
            &answer::told(&key.settings)?,
        );
        self.store().insert(&key, &secret, audit).await?;
        Ok((
            StatusCode::CREATED,
            json!({"key": key, "secret": secret.expose()}),
        ))
    }

    /// `GET /admin/keys/{id}`
    pub(super) async fn get_key(&self, id: &str) -> Result<Told> {
        let key = self.store().get(id).await?;
        let secrets = self.store().secrets(id).await?;
        Ok((StatusCode::OK, json!({"key": key, "secrets": secrets})))
    }

    /// `PUT /admin/keys/{id}`: all settings at once, so that sending it twice changes nothing.
    pub(super) async fn put_key(&self, id: &str, body: Body) -> Result<Told> {
        let settings = settings(self.read(body).await?)?;
        settings.check()?;
        let tenant = self.store().get(id).await?.tenant;
        let audit = self.audit("key.update", Some(&tenant), id, &answer::told(&settings)?);
        let key = self.store().update(id, &settings, self.now_ms(), audit).await?;
        self.admin.keys.forget(id);
        Ok((StatusCode::OK, json!({"key": key})))
    }

    /// `DELETE /admin/keys/{id}`: for good. Its records and its trail stay.
    pub(super) async fn delete_key(&self, id: &str) -> Result<Told> {
        let key = self.store().get(id).await?;
        let audit = self.audit(
            "key.delete",
            Some(&key.tenant),
            id,
            &json!({"name": key.settings.name}),
        );
        self.store().delete(id, audit).await?;
        self.admin.keys.forget(id);
        Ok((StatusCode::OK, json!({"id": id, "deleted": true})))
    }

    /// `POST /admin/keys/{id}/rotate`: another secret for the same key; the earlier one is good for a while.
    pub(super) async fn rotate_key(&self, id: &str, body: Body) -> Result<Told> {
        let rotation: Rotation = self.read(body).await?;
        let grace = rotation.grace_seconds.unwrap_or(GRACE_SECONDS);
        if grace > MAX_GRACE_SECONDS {
            let message =
                format!("at most {MAX_GRACE_SECONDS} seconds (90 days); 0 ends the earlier secret at once");
            return Err(Error::invalid("grace_seconds", message));
        }
        let key = self.store().get(id).await?;
        let now_ms = self.now_ms();
        let until_ms = now_ms + grace * 1_000;
        let secret = VirtualKey::generate(self.desk.entropy);
        let audit = self.audit(
            "key.rotate",
            Some(&key.tenant),
            id,
            &json!({"grace_seconds": grace}),
        );
        self.store().rotate(id, &secret, now_ms, until_ms, audit).await?;
        self.admin.keys.forget(id);
        let told = json!({"key": key, "secret": secret.expose(), "previous_valid_until_ms": until_ms});
        Ok((StatusCode::OK, told))
    }

    /// `GET /admin/tenants`
    pub(super) async fn list_tenants(&self) -> Result<Told> {
        const LIST: &str = "SELECT tenant, count(*) AS keys, sum(disabled) AS disabled_keys, max(last_used_at_ms) AS last_used_at_ms \
             FROM keys WHERE (?1 IS NULL OR tenant > ?1) GROUP BY tenant ORDER BY tenant LIMIT ?2";
        let limit = self.query.limit()?;
        let values = [self.query.text("cursor").into(), u64::from(limit + 1).into()];
        let rows = self.admin.database.query(Statement::new(LIST, values)).await?;
        let name = |row: &edge_ai_core::Row| {
            let name = row.get("tenant").and_then(Value::as_str);
            name.unwrap_or_default().to_owned()
        };
        Ok((StatusCode::OK, answer::told(&Page::of(rows, limit, name))?))
    }

    fn checked(&self, settings: KeySettings) -> Result<KeySettings> {
        settings.check()?;
        if settings.expires_at_ms.is_some_and(|until| until <= self.now_ms()) {
            let message = "the time is over already; it is in milliseconds since 1970";
            return Err(Error::invalid("expires_at_ms", message));
        }
        Ok(settings)
    }
}

fn settings(value: Value) -> Result<KeySettings> {
    serde_json::from_value(value).map_err(|error| {
        let text = error.to_string();
        let field = super::body::field_in(&text).unwrap_or_else(|| "body".to_owned());
        Error::invalid(field, format!("the settings do not read: {text}"))
    })
}
