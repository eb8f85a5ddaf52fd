use std::fmt::Write as _;

use edge_ai_core::{Money, Row};

use super::column::{number, text};
use super::latency::{DURATION, FIRST};

/// Every series, in a steady order.
pub(super) const QUERY: &str =
    "SELECT * FROM usage_counters ORDER BY operation, provider, model, outcome, cache";

/// The formats that Prometheus reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// [Text, version 0.0.4](https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format)
    Text,
    /// [OpenMetrics 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/)
    OpenMetrics,
}

impl Format {
    pub(super) fn for_accept(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// How a counter's number is written.
#[derive(Clone, Copy)]
enum Unit {
    Count,
    NanoDollars,
}

/// A counter: its name without `_total`, what it says, its column.
const COUNTERS: [(&str, &str, &str, Unit); 11] = [
    (
        "edge_ai_requests",
        "Requests that were recorded.",
        "requests",
        Unit::Count,
    ),
    ("edge_ai_attempts", "Calls to providers.", "attempts", Unit::Count),
    (
        "gen_ai_client_inference_usage_input_tokens",
        "Tokens read, from a vendor's cache or not.",
        "input_tokens",
        Unit::Count,
    ),
    (
        "gen_ai_client_inference_usage_output_tokens",
        "Tokens written, reasoning included.",
        "output_tokens",
        Unit::Count,
    ),
    (
        "gen_ai_client_inference_usage_cache_read_input_tokens",
        "Of the input: read from a vendor's cache.",
        "cache_read_tokens",
        Unit::Count,
    ),
    (
        "gen_ai_client_inference_usage_cache_write_input_tokens",
        "Of the input: written to a vendor's cache.",
        "cache_write_tokens",
        Unit::Count,
    ),
    (
        "gen_ai_client_inference_usage_reasoning_output_tokens",
        "Of the output: spent on reasoning.",
        "reasoning_tokens",
        Unit::Count,
    ),
    (
        "edge_ai_cost_dollars",
        "What the requests cost, where it is known.",
        "cost_nano_dollars",
        Unit::NanoDollars,
    ),
    (
        "edge_ai_saved_dollars",
        "What answers from the cache would have cost.",
        "saved_nano_dollars",
        Unit::NanoDollars,
    ),
    (
        "edge_ai_unpriced_requests",
        "Answered requests of which the price or the tokens are unknown.",
        "unpriced",
        Unit::Count,
    ),
    (
        "edge_ai_estimated_requests",
        "Requests that broke off before their tokens were told.",
        "estimated",
        Unit::Count,
    ),
];

/// The bounds of histograms as they are written; the last bucket has none.
const BOUNDS: [&str; 15] = [
    "0.01", "0.02", "0.04", "0.08", "0.16", "0.32", "0.64", "1.28", "2.56", "5.12", "10.24", "20.48",
    "40.96", "81.92", "+Inf",
];

/// Writes counters and histograms out of the rows of `usage_counters`.
pub(super) fn write(rows: &[Row], format: Format) -> String {
    let mut out = String::new();
    let labels: Vec<String> = rows.iter().map(labels).collect();
    for (name, help, column, unit) in COUNTERS {
        let family = match format {
            Format::Text => format!("{name}_total"),
            Format::OpenMetrics => name.to_owned(),
        };
        let _ = write!(out, "# HELP {family} {help}\n# TYPE {family} counter\n");
        for (row, labels) in rows.iter().zip(&labels) {
            let value = number(row, column);
            let _ = match unit {
                Unit::Count => writeln!(out, "{name}_total{{{labels}}} {value}"),
                Unit::NanoDollars => {
                    let money =
                        Money::from_nano_dollars(i64::try_from(value).unwrap_or(i64::MAX)).to_string();
                    writeln!(out, "{name}_total{{{labels}}} {}", money.trim_start_matches('$'))
                }
            };
        }
    }
    let histograms = [
        (
            "gen_ai_client_inference_duration_seconds",
            "From arrival to the end of the answer.",
            &DURATION,
            "latency_ms",
        ),
        (
            "gen_ai_client_inference_time_to_first_chunk_seconds",
            "From arrival to the first content of a stream.",
            &FIRST,
            "first_ms",
        ),
    ];
    for (name, help, columns, sum) in histograms {
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} histogram\n");
        for (row, labels) in rows.iter().zip(&labels) {
            let mut count = 0_u64;
            for (column, bound) in columns.iter().zip(BOUNDS) {
                count = count.saturating_add(number(row, column));
                let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
            }
            let ms = number(row, sum);
            let _ = writeln!(out, "{name}_sum{{{labels}}} {}.{:03}", ms / 1_000, ms % 1_000);
            let _ = writeln!(out, "{name}_count{{{labels}}} {count}");
        }
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

/// An empty label is the same as none.
fn labels(row: &Row) -> String {
    let outcome = text(row, "outcome");
    let pairs = [
        ("gen_ai_operation_name", text(row, "operation")),
        ("gen_ai_provider_name", text(row, "provider")),
        ("gen_ai_response_model", text(row, "model")),
        ("error_type", if outcome == "ok" { "" } else { outcome }),
        ("edge_ai_cache", text(row, "cache")),
    ];
    let mut out = String::new();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        let comma = if out.is_empty() { "" } else { "," };
        let _ = write!(out, "{comma}{name}=\"");
        for character in value.chars() {
            match character {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                other => out.push(other),
            }
        }
        out.push('"');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(model: &str) -> Row {
        let row = json!({
            "operation": "chat", "provider": "openai", "model": model, "outcome": "ok", "cache": "", "requests": 3, "input_tokens": 30,
            "cost_nano_dollars": 2_010_000, "latency_ms": 1_234, "d0": 1, "d2": 2, "f14": 1, "first_ms": 90_000,
        });
        row.as_object().unwrap().clone()
    }

    #[test]
    fn counters_and_histograms_are_written_in_full() {
        let text = write(&[row("gpt")], Format::Text);
        let labels =
            r#"gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_response_model="gpt""#;
        for line in [
            "# TYPE edge_ai_requests_total counter".to_owned(),
            format!("edge_ai_requests_total{{{labels}}} 3"),
            format!("edge_ai_cost_dollars_total{{{labels}}} 0.00201"),
            format!("gen_ai_client_inference_duration_seconds_bucket{{{labels},le=\"0.02\"}} 1"),
            format!("gen_ai_client_inference_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("gen_ai_client_inference_duration_seconds_sum{{{labels}}} 1.234"),
            format!("gen_ai_client_inference_time_to_first_chunk_seconds_bucket{{{labels},le=\"81.92\"}} 0"),
            format!("gen_ai_client_inference_time_to_first_chunk_seconds_count{{{labels}}} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let open = write(&[row("gpt")], Format::OpenMetrics);
        assert!(open.contains("# TYPE edge_ai_requests counter\n") && open.ends_with("# EOF\n"));
    }

    #[test]
    fn names_cannot_break_out_of_their_label() {
        let text = write(&[row("a\"} 1\nevil{x=\"\\")], Format::Text);
        assert!(
            text.contains(r#"gen_ai_response_model="a\"} 1\nevil{x=\"\\""#),
            "{text}"
        );
        assert!(!text.lines().any(|line| line.starts_with("evil")));
    }
}
