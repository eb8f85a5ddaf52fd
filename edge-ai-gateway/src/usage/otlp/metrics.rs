use std::time::Duration;

use edge_ai_core::UsageRecord;
use serde_json::{Value, json};

use super::attributes::Attributes;
use crate::usage::buckets::SECONDS;

/// The bounds that [the conventions](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/) give for tokens.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// The metrics of some requests, each a data point of its own: the collector adds them up.
pub(super) fn metrics(records: &[UsageRecord], latest: bool) -> Vec<Value> {
    let names = if latest { &LATEST } else { &KNOWN };
    let mut metrics = Vec::new();
    let mut add = |name: &str, unit: &str, points: Vec<Value>| {
        if !points.is_empty() {
            // 1 is delta: nothing has to be remembered between requests.
            metrics.push(json!({ "name": name, "unit": unit, "histogram": { "aggregationTemporality": 1, "dataPoints": points } }));
        }
    };
    let seconds = |ms: u64| ms as f64 / 1e3;
    let durations = records.iter().map(|record| {
        point(
            record,
            Attributes::of(record),
            seconds(record.latency_ms),
            &SECONDS,
        )
    });
    add(names.duration, "s", durations.collect());
    let first = records.iter().filter_map(|record| {
        let ms = record.time_to_first_token_ms?;
        Some(point(record, Attributes::of(record), seconds(ms), &SECONDS))
    });
    add(names.first_chunk, "s", first.collect());
    for (name, kind, tokens) in [
        (
            names.input_tokens,
            "input",
            (|usage| usage.input_tokens) as fn(&edge_ai_core::Usage) -> u64,
        ),
        (names.output_tokens, "output", |usage| usage.output_tokens),
    ] {
        let points = records.iter().filter_map(|record| {
            let tokens = tokens(record.usage.as_ref()?);
            let mut attributes = Attributes::of(record);
            if !latest {
                attributes.text("gen_ai.token.type", kind);
            }
            Some(point(record, attributes, tokens as f64, &TOKENS))
        });
        add(name, "{token}", points.collect());
    }
    let costs: Vec<Value> = records
        .iter()
        .filter_map(|record| {
            let dollars = record.cost?.as_nano_dollars() as f64 / 1e9;
            let mut point = times(record, Attributes::of(record));
            if let Some(fields) = point.as_object_mut() {
                fields.insert("asDouble".into(), dollars.into());
            }
            Some(point)
        })
        .collect();
    if !costs.is_empty() {
        let sum = json!({ "aggregationTemporality": 1, "isMonotonic": true, "dataPoints": costs });
        metrics.push(json!({ "name": "edge_ai.cost", "unit": "USD", "sum": sum }));
    }
    metrics
}

struct Names {
    duration: &'static str,
    first_chunk: &'static str,
    input_tokens: &'static str,
    output_tokens: &'static str,
}

const KNOWN: Names = Names {
    duration: "gen_ai.client.operation.duration",
    first_chunk: "gen_ai.client.operation.time_to_first_chunk",
    input_tokens: "gen_ai.client.token.usage",
    output_tokens: "gen_ai.client.token.usage",
};

const LATEST: Names = Names {
    duration: "gen_ai.client.inference.duration",
    first_chunk: "gen_ai.client.inference.time_to_first_chunk",
    input_tokens: "gen_ai.client.inference.operation.input_tokens",
    output_tokens: "gen_ai.client.inference.operation.output_tokens",
};

fn times(record: &UsageRecord, attributes: Attributes) -> Value {
    let end = record.time + Duration::from_millis(record.latency_ms);
    json!({
        "attributes": attributes.into_value(),
        "startTimeUnixNano": record.time.as_nanos().to_string(),
        "timeUnixNano": end.as_nanos().to_string(),
    })
}

/// A histogram of one value.
fn point(record: &UsageRecord, attributes: Attributes, value: f64, bounds: &[f64]) -> Value {
    let at = bounds.partition_point(|bound| *bound < value);
    let counts: Vec<&str> = (0..=bounds.len())
        .map(|bucket| if bucket == at { "1" } else { "0" })
        .collect();
    let mut point = times(record, attributes);
    if let (Some(fields), Value::Object(histogram)) = (
        point.as_object_mut(),
        json!({ "count": "1", "sum": value, "min": value, "max": value, "bucketCounts": counts, "explicitBounds": bounds }),
    ) {
        fields.extend(histogram);
    }
    point
}
