use edge_ai_core::{Body, Error, ErrorKind, Purge, Result};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Told, Work, answer};

/// The body of `POST /admin/cache/purge`: what narrows it, or that it is everything. A body that was forgotten must not empty the cache.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    everything: bool,
    tenant: Option<String>,
    model: Option<String>,
    tag: Option<String>,
}

impl Work<'_> {
    /// `POST /admin/cache/purge`
    pub(super) async fn purge_cache(&self, body: Body) -> Result<Told> {
        let cache = self.desk.purge.ok_or_else(|| {
            let message = "this gateway keeps no answers that could be purged; configure `[cache.default]` and a log of purges";
            Error::new(ErrorKind::Unsupported, message).with_code("cache_off")
        })?;
        let asked: Asked = self.read(body).await?;
        let mut purge = Purge::everything();
        (purge.tenant, purge.model, purge.tag) = (asked.tenant, asked.model, asked.tag);
        let narrowed = purge != Purge::everything();
        if narrowed == asked.everything {
            let message = "name a `tenant`, `model` or `tag`, or several to purge what has all of them; or send `\"everything\": true` alone";
            return Err(Error::invalid("everything", message));
        }
        if let Some(model) = &purge.model {
            self.desk.table.check(model)?;
        }
        let what = answer::told(&purge)?;
        let subject = if narrowed { "cache" } else { "*" };
        // First the trail: it may tell of a purge that failed, and never misses one.
        let audit = self.audit("cache.purge", purge.tenant.as_deref(), subject, &what);
        self.admin.database.query(audit).await?;
        cache.purge(&purge).await?;
        let told = json!({"purged": what, "everything": !narrowed, "time_ms": self.now_ms()});
        Ok((StatusCode::OK, told))
    }
}
