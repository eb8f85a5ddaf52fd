use std::time::Duration;

use edge_ai_core::{Attempt, CacheStatus, Outcome, SpanId, Timestamp, TraceContext, UsageRecord};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::attributes::{Attributes, provider_name};

/// Kinds of spans ([`SpanKind`](https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto)).
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// The request's span, that of each call to a provider, and that of a cache that answered; none for a trace that is not kept.
pub(super) fn spans(record: &UsageRecord, latest: bool) -> Vec<Value> {
    let Some(trace) = record.trace.as_ref().filter(|trace| trace.is_sampled()) else {
        return Vec::new();
    };
    let mut spans = vec![request(record, trace, latest)];
    spans.extend(
        record
            .attempts
            .iter()
            .filter_map(|call| attempt(record, trace, call)),
    );
    if record.cache == Some(CacheStatus::Hit) {
        spans.push(cache(record, trace));
    }
    spans
}

fn end(record: &UsageRecord) -> Timestamp {
    record.time + Duration::from_millis(record.latency_ms)
}

fn span(trace: &TraceContext, id: &str, parent: Option<SpanId>, name: &str, kind: u8) -> Value {
    let mut span = json!({
        "traceId": trace.trace_id.to_string(),
        "spanId": id,
        "name": name,
        "kind": kind,
        // The flags of W3C's trace context, as OTLP has them.
        "flags": trace.flags,
    });
    if let (Some(parent), Some(span)) = (parent, span.as_object_mut()) {
        span.insert("parentSpanId".into(), parent.to_string().into());
    }
    span
}

/// Sets times, attributes, and what went wrong.
fn finish(
    mut span: Value,
    from: Timestamp,
    to: Timestamp,
    attributes: Attributes,
    error: Option<&str>,
) -> Value {
    if let Some(fields) = span.as_object_mut() {
        fields.insert("startTimeUnixNano".into(), from.as_nanos().to_string().into());
        fields.insert("endTimeUnixNano".into(), to.as_nanos().to_string().into());
        fields.insert("attributes".into(), attributes.into_value());
        if let Some(error) = error {
            fields.insert("status".into(), json!({ "code": 2, "message": error }));
        }
    }
    span
}

fn request(record: &UsageRecord, trace: &TraceContext, latest: bool) -> Value {
    let mut attributes = Attributes::of(record);
    attributes.boolean("gen_ai.request.stream", record.stream);
    if let Some(reason) = &record.finish_reason {
        attributes.texts("gen_ai.response.finish_reasons", &[reason]);
    }
    if let Some(ms) = record.time_to_first_token_ms {
        attributes.double("gen_ai.response.time_to_first_chunk", ms as f64 / 1e3);
    }
    if let Some(usage) = &record.usage {
        attributes.integer("gen_ai.usage.input_tokens", usage.input_tokens);
        attributes.integer("gen_ai.usage.output_tokens", usage.output_tokens);
        attributes.integer("gen_ai.usage.cache_read.input_tokens", usage.cache_read_tokens);
        let written = if latest {
            "gen_ai.usage.cache_write.input_tokens"
        } else {
            "gen_ai.usage.cache_creation.input_tokens"
        };
        attributes.integer(written, usage.cache_write_tokens);
        attributes.integer("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens);
        attributes.boolean("edge_ai.usage.estimated", record.usage_estimated);
    }
    if let Some(cost) = record.cost {
        attributes.double("edge_ai.cost", cost.as_nano_dollars() as f64 / 1e9);
    }
    attributes.text("edge_ai.request.id", &record.request_id);
    attributes.optional("edge_ai.tenant", record.tenant.as_deref());
    attributes.optional("edge_ai.key", record.key.as_deref());
    attributes.optional("edge_ai.cache", record.cache.map(|cache| cache.as_str()));
    for (name, value) in &record.metadata {
        attributes.text(&format!("edge_ai.metadata.{name}"), value);
    }
    let name = format!("{} {}", record.operation.as_str(), record.requested_model);
    let error = match record.outcome {
        Outcome::Error(_) => Some(record.error.as_deref().unwrap_or_default()),
        _ => None,
    };
    let span = span(trace, &trace.span_id.to_string(), trace.parent_id, &name, SERVER);
    finish(span, record.time, end(record), attributes, error)
}

fn attempt(record: &UsageRecord, trace: &TraceContext, call: &Attempt) -> Option<Value> {
    let (start, id) = (call.start?, call.span_id?);
    let mut attributes = Attributes::default();
    attributes.text("gen_ai.operation.name", record.operation.as_str());
    attributes.text("gen_ai.provider.name", provider_name(&call.provider));
    attributes.text("gen_ai.request.model", &call.model);
    if let Some(kind) = call.error {
        attributes.text("error.type", kind.as_str());
    }
    let error = call.error.map(|_| call.message.as_deref().unwrap_or_default());
    let name = format!("{} {}", record.operation.as_str(), call.model);
    let span = span(trace, &id.to_string(), Some(trace.span_id), &name, CLIENT);
    // A call that answered lasts as long as its stream.
    let to = match call.error {
        None => end(record),
        Some(_) => start + Duration::from_millis(call.latency_ms),
    };
    Some(finish(span, start, to.max(start), attributes, error))
}

fn cache(record: &UsageRecord, trace: &TraceContext) -> Value {
    let mut attributes = Attributes::default();
    attributes.text("edge_ai.cache", CacheStatus::Hit.as_str());
    if let Some(saved) = record.saved {
        attributes.double("edge_ai.saved", saved.as_nano_dollars() as f64 / 1e9);
    }
    // The same however often it is exported.
    let digest = Sha256::digest(format!("{}cache", trace.span_id));
    let id: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let span = span(trace, &id, Some(trace.span_id), "cache", INTERNAL);
    finish(span, record.time, end(record), attributes, None)
}
