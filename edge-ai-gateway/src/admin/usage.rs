use edge_ai_core::{Error, Result, Statement};
use http::StatusCode;
use serde_json::json;

use super::{Told, Work};

/// The sums of a group; `unpriced_requests` are those whose cost nobody knows, which is not nothing.
macro_rules! grouped {
    ($by:literal) => {
        concat!(
            "SELECT ",
            $by,
            ", count(*) AS requests, sum(outcome <> 'ok') AS failed_requests, coalesce(sum(input_tokens), 0) AS input_tokens, \
             coalesce(sum(output_tokens), 0) AS output_tokens, coalesce(sum(cost_nano_dollars), 0) AS cost_nano_dollars, \
             sum(outcome = 'ok' AND cost_nano_dollars IS NULL) AS unpriced_requests, max(time_ms) AS last_request_ms \
             FROM usage_records WHERE time_ms >= ?1 AND time_ms < ?2 AND (?3 IS NULL OR tenant = ?3) AND (?4 IS NULL OR key = ?4) GROUP BY ",
            $by,
            " ORDER BY cost_nano_dollars DESC, requests DESC LIMIT 1000"
        )
    };
}

/// The days that are summed up unless told.
const USUAL_MS: u64 = 30 * 86_400_000;

impl Work<'_> {
    /// `GET /admin/usage`
    pub(super) async fn usage(&self) -> Result<Told> {
        let by = self.query.text("by").unwrap_or("key");
        let sql = match by {
            "key" => grouped!("tenant, key"),
            "tenant" => grouped!("tenant"),
            "model" => grouped!("provider, model"),
            _ => return Err(Error::invalid("by", "must be `key`, `tenant` or `model`")),
        };
        let until = self.query.number("until_ms")?.unwrap_or(self.now_ms() + 1);
        let since = self
            .query
            .number("since_ms")?
            .unwrap_or(until.saturating_sub(USUAL_MS));
        if since >= until {
            let message = "must be before `until_ms`; both are milliseconds since 1970";
            return Err(Error::invalid("since_ms", message));
        }
        let values = [
            since.into(),
            until.into(),
            self.query.text("tenant").into(),
            self.query.text("key").into(),
        ];
        let rows = self.admin.database.query(Statement::new(sql, values)).await?;
        let told = json!({"by": by, "since_ms": since, "until_ms": until, "data": rows});
        Ok((StatusCode::OK, told))
    }
}
