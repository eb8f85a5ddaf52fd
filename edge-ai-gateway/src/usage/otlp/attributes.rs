use edge_ai_core::{Outcome, UsageRecord};
use serde_json::{Value, json};

/// Attributes of a span, a data point or a resource.
#[derive(Clone, Default)]
pub(super) struct Attributes(Vec<Value>);

impl Attributes {
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.0
            .push(json!({ "key": key, "value": { "stringValue": value } }));
    }

    pub(super) fn optional(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// In OTLP's JSON, a 64-bit number is a text.
    pub(super) fn integer(&mut self, key: &str, value: u64) {
        self.0
            .push(json!({ "key": key, "value": { "intValue": value.to_string() } }));
    }

    pub(super) fn double(&mut self, key: &str, value: f64) {
        self.0
            .push(json!({ "key": key, "value": { "doubleValue": value } }));
    }

    pub(super) fn boolean(&mut self, key: &str, value: bool) {
        self.0
            .push(json!({ "key": key, "value": { "boolValue": value } }));
    }

    pub(super) fn texts(&mut self, key: &str, values: &[&str]) {
        let values: Vec<_> = values
            .iter()
            .map(|value| json!({ "stringValue": value }))
            .collect();
        self.0
            .push(json!({ "key": key, "value": { "arrayValue": { "values": values } } }));
    }

    pub(super) fn into_value(self) -> Value {
        Value::Array(self.0)
    }

    /// What spans and metrics say of a request alike.
    pub(super) fn of(record: &UsageRecord) -> Self {
        let mut attributes = Self::default();
        attributes.text("gen_ai.operation.name", record.operation.as_str());
        attributes.optional(
            "gen_ai.provider.name",
            record.provider.as_deref().map(provider_name),
        );
        attributes.text("gen_ai.request.model", &record.requested_model);
        attributes.optional("gen_ai.response.model", record.model.as_deref());
        if let Outcome::Error(kind) = record.outcome {
            attributes.text("error.type", kind.as_str());
        }
        attributes
    }
}

/// The well-known name of a provider
/// ([values](https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/#gen-ai-provider-name)), else the gateway's own.
pub(super) fn provider_name(provider: &str) -> &str {
    match provider {
        "azure" => "azure.ai.openai",
        "bedrock" => "aws.bedrock",
        "gemini" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "vertex" => "gcp.vertex_ai",
        "workers-ai" => "cloudflare.workers_ai",
        "xai" => "x_ai",
        other => other,
    }
}
