use edge_ai_core::Result;
use serde::de::IgnoredAny;

use crate::wire::{Fields, Path, elements, write_object};

/// Deeper schemas are left as they are; the vendor refuses them long before.
const MAX_DEPTH: u8 = 32;

/// Says `"additionalProperties": false` on every object that says nothing, as Anthropic requires of schemas that it
/// enforces. Everything else, the order of properties included, stays as it was written.
///
/// # Errors
/// When the schema is not JSON.
pub(crate) fn close_objects(schema: &str) -> Result<String> {
    close(schema, MAX_DEPTH)
}

fn close(schema: &str, depth: u8) -> Result<String> {
    if depth == 0 || !schema.trim_start().starts_with('{') {
        return Ok(schema.to_owned());
    }
    let fields = Fields::parse(schema, Path::ROOT)?;
    let is_object = fields.peek::<&str>("type") == Some("object") || has(&fields, "properties");
    let open = is_object && !has(&fields, "additionalProperties");
    let closed = write_object(|object| {
        for (name, value) in fields.into_entries() {
            match &*name {
                "properties" | "$defs" | "definitions" if value.starts_with('{') => {
                    object.object(&name, |members| {
                        for (member, schema) in Fields::parse(value, Path::ROOT)?.into_entries() {
                            members.raw(&member, &close(schema, depth - 1)?);
                        }
                        Ok(())
                    })?;
                }
                "anyOf" | "oneOf" | "allOf" | "prefixItems" if value.starts_with('[') => {
                    let schemas = elements(value, &Path::ROOT)?;
                    let schemas = schemas
                        .into_iter()
                        .map(|schema| close(schema, depth - 1))
                        .collect::<Result<Vec<_>>>()?;
                    object.raw(&name, &format!("[{}]", schemas.join(",")));
                }
                "items" | "additionalProperties" | "not" => object.raw(&name, &close(value, depth - 1)?),
                _ => object.raw(&name, value),
            }
        }
        if open {
            object.field("additionalProperties", false);
        }
        Ok(())
    })?;
    Ok(String::from_utf8_lossy(&closed).into_owned())
}

fn has(fields: &Fields<'_>, name: &str) -> bool {
    fields.peek::<IgnoredAny>(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_everywhere_and_order_stays() {
        let schema = r##"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"array","items":{"type":"object","properties":{"type":{"type":"string"}}}},"o":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/p"}]}},"$defs":{"p":{"properties":{}}},"required":["z"]}"##;
        let closed = r##"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"array","items":{"type":"object","properties":{"type":{"type":"string"}},"additionalProperties":false}},"o":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/p"}]}},"$defs":{"p":{"properties":{},"additionalProperties":false}},"required":["z"],"additionalProperties":false}"##;
        assert_eq!(close_objects(schema).unwrap(), closed);
    }

    #[test]
    fn what_is_said_stays() {
        for schema in [
            r#"{"type":"object","additionalProperties":true}"#,
            r#"{"type":"string"}"#,
            "true",
            "[1]",
        ] {
            assert_eq!(close_objects(schema).unwrap(), schema);
        }
    }

    #[test]
    fn depth_does_no_harm() {
        let deep = format!("{}true{}", r#"{"items":"#.repeat(5_000), "}".repeat(5_000));
        assert_eq!(close_objects(&deep).unwrap(), deep);
    }
}
