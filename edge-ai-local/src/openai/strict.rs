//! What OpenAI asks of a schema under `strict`: objects closed, every property required.

use serde_json::Value;

/// Depth of nesting looked at.
const DEEPEST: usize = 32;

/// Names the first problem of a schema, in OpenAI's words.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    if schema.get("type").is_none_or(|kind| kind != "object") && schema.get("$ref").is_none() {
        return Err("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.".into());
    }
    walk(schema, &mut Vec::new())
}

fn walk(schema: &Value, path: &mut Vec<String>) -> Result<(), String> {
    if path.len() > DEEPEST {
        return Ok(());
    }
    let context = |path: &[String]| {
        let parts: Vec<String> = path.iter().map(|part| format!("'{part}'")).collect();
        format!(
            "In context=({}{})",
            parts.join(", "),
            if parts.len() == 1 { "," } else { "" }
        )
    };
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Err(format!(
                "{}, 'additionalProperties' is required to be supplied and to be false.",
                context(path)
            ));
        }
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if let Some(missing) = properties.keys().find(|name| !required.contains(&name.as_str())) {
            return Err(format!(
                "{}, 'required' is required to be supplied and to be an array including every key in properties. \
                 Missing '{missing}'.",
                context(path)
            ));
        }
    }
    for key in ["properties", "$defs", "definitions"] {
        for (name, part) in schema.get(key).and_then(Value::as_object).into_iter().flatten() {
            into(part, &[key, name], path)?;
        }
    }
    if let Some(items) = schema.get("items") {
        into(items, &["items"], path)?;
    }
    for (at, branch) in schema
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        into(branch, &["anyOf", &at.to_string()], path)?;
    }
    Ok(())
}

fn into(part: &Value, names: &[&str], path: &mut Vec<String>) -> Result<(), String> {
    let before = path.len();
    path.extend(names.iter().map(|name| (*name).to_owned()));
    let checked = walk(part, path);
    path.truncate(before);
    checked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn open_objects_and_optional_properties_are_refused() {
        let open =
            json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
        assert!(check(&open).unwrap_err().contains("'additionalProperties'"));
        let optional = json!({ "type": "object", "properties": { "a": {} }, "additionalProperties": false });
        assert!(check(&optional).unwrap_err().contains("Missing 'a'"));
        let nested = json!({ "type": "object", "required": ["l"], "additionalProperties": false, "properties": {
            "l": { "type": "array", "items": { "type": "object", "properties": {} } } } });
        assert!(check(&nested).unwrap_err().contains("'properties', 'l', 'items'"));
        assert!(check(&json!({ "type": "object", "properties": {}, "additionalProperties": false })).is_ok());
    }
}
