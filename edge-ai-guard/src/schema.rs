//! Whether JSON is what a JSON schema asks for.

mod validate;

use async_trait::async_trait;
use edge_ai_core::{ChatInput, RawJson, ResponseFormat, Result};
use serde_json::Value;

use crate::guard::{Finding, Guard, Passage, Phase, Source, View};

/// A JSON schema, as far as it is checked.
///
/// Checked: `type`, `enum`, `const`; `properties`, `required`, `additionalProperties`, `propertyNames`, `minProperties`, `maxProperties`;
/// `items`, `prefixItems`, `contains`, `minItems`, `maxItems`, `uniqueItems`; `minLength`, `maxLength`; `minimum`, `maximum`, `exclusiveMinimum`,
/// `exclusiveMaximum`, `multipleOf`; `allOf`, `anyOf`, `oneOf`, `not`, `if`, `then`, `else`; `$ref` within the schema; `true` and `false` as schemas.
///
/// Not checked: `pattern`, `patternProperties`, `dependentSchemas`, `dependentRequired`, `unevaluatedProperties`, `unevaluatedItems` and
/// references to other documents, as a validator of JSON Schema ignores keywords that it does not know
/// ([core, 6.5](https://json-schema.org/draft/2020-12/json-schema-core#section-6.5)); `format` is an annotation there too. Where
/// `patternProperties` is used, `additionalProperties` is not checked, since the one says what is additional to the other.
///
/// ```
/// use edge_ai_core::RawJson;
/// use edge_ai_guard::Schema;
///
/// let schema = Schema::new(&RawJson::parse(r#"{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}"#)?)?;
/// assert_eq!(schema.check_text(r#"{"n": 1}"#), Ok(()));
/// assert_eq!(schema.check_text(r#"{"n": "1"}"#), Err("at `/n`: must be integer".into()));
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schema(Value);

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) when it is nested too deep to be read.
    pub fn new(schema: &RawJson) -> Result<Self> {
        schema.to().map(Self)
    }

    /// Checks a value.
    ///
    /// # Errors
    /// What is wrong and where, as a JSON pointer. It names what is asked for, never what was there.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        validate::check(&self.0, value)
    }

    /// Checks JSON text.
    ///
    /// # Errors
    /// The same, or that it is not JSON.
    pub fn check_text(&self, text: &str) -> Result<(), String> {
        let value = parse(text)?;
        self.check(&value)
    }
}

fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("not valid JSON at line {line}, column {column}")
    })
}

/// Checks that an answer is in the form that its request asks for: JSON, or JSON of a [`Schema`]. Requests for free text, refusals and answers that
/// call tools are not checked.
///
/// ```
/// use edge_ai_guard::{AnswerSchema, Guardrails, Rule};
///
/// let rules = Guardrails::new().with(Rule::retry(AnswerSchema, 2));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AnswerSchema;

#[async_trait]
impl Guard for AnswerSchema {
    fn name(&self) -> &str {
        "schema"
    }

    fn looks_at(&self, phase: Phase) -> bool {
        phase == Phase::Answer
    }

    fn concerns(&self, input: &ChatInput) -> bool {
        matches!(
            input.response_format,
            Some(ResponseFormat::JsonObject | ResponseFormat::JsonSchema { .. })
        )
    }

    async fn check(&self, view: &View<'_>) -> Result<Vec<Finding>> {
        let schema = match view.format {
            Some(ResponseFormat::JsonSchema { schema, .. }) => Some(Schema::new(schema)?),
            Some(ResponseFormat::JsonObject) => None,
            _ => return Ok(Vec::new()),
        };
        let mut texts = view
            .passages
            .iter()
            .filter(|passage| passage.source == Source::Assistant);
        let declines = view
            .passages
            .iter()
            .any(|passage| passage.place.ends_with(".refusal"));
        if view.calls_tools || declines {
            return Ok(Vec::new());
        }
        let text: String = texts.by_ref().map(|passage| &*passage.text).collect();
        let problem = match schema {
            Some(schema) => schema.check_text(&text).err(),
            None => match parse(&text) {
                Ok(Value::Object(_)) => None,
                Ok(_) => Some("must be an object".to_owned()),
                Err(problem) => Some(problem),
            },
        };
        let at = view
            .passages
            .iter()
            .position(|passage| passage.source == Source::Assistant);
        Ok(problem
            .map(|problem| {
                let finding = match at.and_then(|at| Some((at, view.passages.get(at)?))) {
                    Some((at, passage)) => whole(at, passage),
                    None => Finding::new(0, 0..0, "invalid_answer"),
                };
                finding.with_detail(problem)
            })
            .into_iter()
            .collect())
    }
}

fn whole(at: usize, passage: &Passage<'_>) -> Finding {
    Finding::whole(at, passage, "invalid_answer")
}
