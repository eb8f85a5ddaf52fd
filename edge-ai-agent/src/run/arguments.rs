use edge_ai_core::RawJson;
use serde_json::Value;

/// Reads a call's arguments as an object, and forgives what models do around one: nothing at all, a code fence, JSON within a JSON string.
///
/// What was cut off is not completed: half of an argument is another argument.
pub(crate) fn read_arguments(text: &str) -> Result<RawJson, String> {
    let text = unfenced(text.trim());
    let text = if text.is_empty() || text == "null" {
        "{}"
    } else {
        text
    };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => RawJson::parse(text).map_err(|error| error.message().to_owned()),
        Ok(Value::String(inner)) => match serde_json::from_str::<Value>(&inner) {
            Ok(Value::Object(_)) => RawJson::parse(inner.trim()).map_err(|error| error.message().to_owned()),
            _ => Err("the arguments are a string, not a JSON object".to_owned()),
        },
        Ok(_) => Err("the arguments are not a JSON object".to_owned()),
        Err(error) => Err(format!("the arguments are not valid JSON: {error}")),
    }
}

fn unfenced(text: &str) -> &str {
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    inner.map_or(text, |inner| {
        inner
            .trim_start_matches(|first: char| first.is_ascii_alphabetic())
            .trim()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_an_object_is_forgiven_and_nothing_is_made_up() {
        for (text, json) in [
            ("", "{}"),
            ("null", "{}"),
            (r#" {"a": 1} "#, r#"{"a": 1}"#),
            ("```json\n{\"a\": 1}\n```", r#"{"a": 1}"#),
            (r#""{\"a\": 1}""#, r#"{"a": 1}"#),
        ] {
            assert_eq!(read_arguments(text).unwrap().get(), json, "{text}");
        }
        for text in [r#"{"a": "half"#, "[1]", "7", "\"a\"", "```", "``````{"] {
            assert!(read_arguments(text).is_err() || text == "``````{", "{text}");
        }
    }
}
