use edge_ai_core::{Result, Statement, read_row};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Told, Work, answer};
use crate::access::Page;

/// A line of the trail.
#[derive(Deserialize, Serialize)]
struct Line {
    id: u64,
    time_ms: u64,
    actor: String,
    action: String,
    tenant: Option<String>,
    subject: String,
    #[serde(deserialize_with = "json_text")]
    detail: Value,
}

impl Work<'_> {
    /// The row for what is about to be done; it goes into the same transaction.
    pub(super) fn audit(
        &self,
        action: &str,
        tenant: Option<&str>,
        subject: &str,
        detail: &Value,
    ) -> Statement {
        const INSERT: &str = "INSERT INTO admin_audit (time_ms, actor, action, tenant, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let values = [
            self.now_ms().into(),
            self.actor.as_str().into(),
            action.into(),
            tenant.into(),
            subject.into(),
            detail.to_string().into(),
        ];
        Statement::new(INSERT, values)
    }

    /// `GET /admin/audit`
    pub(super) async fn list_audit(&self) -> Result<Told> {
        const LIST: &str =
            "SELECT * FROM admin_audit WHERE (?1 IS NULL OR id < ?1) ORDER BY id DESC LIMIT ?2";
        let limit = self.query.limit()?;
        let values = [self.query.number("cursor")?.into(), u64::from(limit + 1).into()];
        let rows = self.admin.database.query(Statement::new(LIST, values)).await?;
        let lines = rows.into_iter().map(read_row).collect::<Result<Vec<Line>>>()?;
        let page = Page::of(lines, limit, |line| line.id.to_string());
        Ok((StatusCode::OK, answer::told(&page)?))
    }
}

fn json_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Value, D::Error> {
    let text = String::deserialize(deserializer)?;
    serde_json::from_str(&text).map_err(serde::de::Error::custom)
}
