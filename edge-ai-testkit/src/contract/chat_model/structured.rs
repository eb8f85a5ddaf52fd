use edge_ai_core::{ChatOutput, ChatRequest, RawJson, ResponseFormat};
use serde::Deserialize;

use super::ChatModelSubject;
use crate::case::{ensure, require};
use crate::{Check, Must, Stop};

const SCHEMA: &str = r#"{"type":"object","properties":{"city":{"type":"string"},"population":{"type":"integer"}},"required":["city","population"],"additionalProperties":false}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct City {
    city: String,
    #[expect(dead_code, reason = "only its type is checked")]
    population: i64,
}

pub(super) fn ask(subject: &ChatModelSubject) -> Result<ChatRequest, Stop> {
    let schema = RawJson::parse(SCHEMA).must("the schema is JSON")?;
    let format = ResponseFormat::JsonSchema {
        name: "city".into(),
        description: None,
        schema,
        strict: Some(true),
    };
    Ok(subject
        .ask(subject.schema_question.clone())
        .response_format(format))
}

fn check(output: &ChatOutput) -> Check {
    let text = output.text();
    match serde_json::from_str::<City>(&text) {
        Ok(city) => {
            ensure!(!city.city.is_empty(), "a required field has a value");
            Ok(())
        }
        Err(error) => Err(Stop::failed(format!(
            "the text of an answer fits the schema asked for: {error} in `{text}`"
        ))),
    }
}

pub(super) async fn an_answer_fits_its_schema(subject: ChatModelSubject) -> Check {
    require!(subject.capabilities.json_schema, "the model takes no schema");
    check(&subject.answer(ask(&subject)?).await?)
}

pub(super) async fn a_streamed_answer_fits_its_schema(subject: ChatModelSubject) -> Check {
    require!(subject.capabilities.json_schema, "the model takes no schema");
    check(&subject.streamed(ask(&subject)?).await?)
}
