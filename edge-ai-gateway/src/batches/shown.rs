use serde_json::{Value, json};

use super::batch::{Batch, Status};

/// A batch as OpenAI shows it.
pub(super) fn shown(batch: &Batch) -> Value {
    let at = |name: &str| batch.since.get(name).map(|millis| millis / 1_000);
    let errors = (!batch.errors.is_empty()).then(|| json!({ "object": "list", "data": batch.errors }));
    json!({
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": errors,
        "input_file_id": batch.input_file_id,
        "completion_window": "24h",
        "status": batch.status,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "created_at": at("validating"),
        "in_progress_at": at("in_progress"),
        "expires_at": batch.expires_ms / 1_000,
        "finalizing_at": at("finalizing"),
        "completed_at": at("completed"),
        "failed_at": at("failed"),
        "expired_at": at("expired").filter(|_| batch.status == Status::Expired),
        "cancelling_at": at("cancelling"),
        "cancelled_at": at("cancelled"),
        "request_counts": { "total": batch.total, "completed": batch.completed, "failed": batch.failed },
        "metadata": batch.metadata,
    })
}
