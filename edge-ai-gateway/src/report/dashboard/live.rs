use std::sync::Arc;

use edge_ai_core::{Database, Result, Statement};
use serde_json::{Value, json};

use super::Asked;

const COLUMNS: &str = "rowid AS id, request_id, time_ms, tenant, key, operation, requested_model, provider, model, stream, outcome, error, \
     input_tokens, output_tokens, usage_estimated, cost_nano_dollars, latency_ms, time_to_first_token_ms, cache, trace_id, metadata";

/// `GET /dashboard/api/live?after=ID`: the newest records, newest first; with `after`, those that were kept after it.
pub(super) async fn read(database: Arc<dyn Database>, asked: Asked) -> Result<Value> {
    let after = asked.after.unwrap_or_default();
    let sql = format!("SELECT {COLUMNS} FROM usage_records WHERE rowid > ?1 ORDER BY rowid DESC LIMIT 50");
    let rows = database.query(Statement::new(sql, [after.into()])).await?;
    Ok(json!({ "records": rows }))
}
