use proptest::prelude::*;
use serde_json::json;

use super::*;

fn make(schema: Value, text: &str) -> Value {
    synthesize(
        &schema,
        &Hints::new(text, Some("An answer.".into())),
        Optional::WhenMentioned,
    )
}

#[test]
fn arguments_come_from_the_text() {
    let schema = json!({ "type": "object", "required": ["city", "unit", "days"], "properties": {
        "city": { "type": "string" }, "days": { "type": "integer", "maximum": 5 }, "lang": { "type": "string" },
        "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] } } });
    assert_eq!(
        make(schema, "Weather in New York for 7 days in fahrenheit"),
        json!({ "city": "New York", "days": 5, "unit": "fahrenheit" })
    );
}

#[test]
fn two_fields_get_two_names() {
    let schema = json!({ "type": "object", "required": ["from", "to"],
        "properties": { "from": { "type": "string" }, "to": { "type": "string" } } });
    assert_eq!(
        make(schema, "fly \"LIS\" then \"OPO\""),
        json!({ "from": "LIS", "to": "OPO" })
    );
}

#[test]
fn refs_unions_nulls_and_nesting_are_followed() {
    let schema = json!({
        "$defs": { "item": { "type": "object", "required": ["sku", "kind"], "properties": {
            "sku": { "type": "string" }, "kind": { "const": "item" } } } },
        "type": "object", "required": ["items", "note", "ok", "pair"], "properties": {
            "items": { "type": "array", "items": { "$ref": "#/$defs/item" }, "minItems": 2 },
            "note": { "anyOf": [{ "type": "null" }, { "type": "string", "maxLength": 4 }] },
            "ok": { "type": ["boolean", "null"] },
            "pair": { "type": "array", "prefixItems": [{ "type": "number" }, { "type": "string" }] } } });
    let made = make(schema, "order `A-1` at 2.5 each");
    assert_eq!(made["items"].as_array().unwrap().len(), 2);
    assert_eq!(made["items"][0], json!({ "sku": "A-1", "kind": "item" }));
    assert!(made["note"].as_str().unwrap().chars().count() <= 4);
    assert_eq!((&made["ok"], &made["pair"][0]), (&json!(true), &json!(2.5)));
}

#[test]
fn recursive_schemas_end() {
    let schema = json!({ "$defs": { "node": { "type": "object", "required": ["name", "children"], "properties": {
        "name": { "type": "string" }, "children": { "type": "array", "items": { "$ref": "#/$defs/node" } } } } },
        "$ref": "#/$defs/node" });
    assert!(make(schema, "tree").to_string().len() < 10_000);
    let endless = json!({ "$ref": "#" });
    assert_eq!(make(endless, "x"), json!("x"));
}

#[test]
fn expressions_are_read_off_the_text() {
    let schema = json!({ "type": "object", "required": ["expression"],
        "properties": { "expression": { "type": "string" } } });
    assert_eq!(
        make(schema, "What is 12 * (3 + 4)?"),
        json!({ "expression": "12 * (3 + 4)" })
    );
}

proptest! {
    #[test]
    fn numbers_stay_in_bounds(low in -1000_i64..1000, span in 0_i64..1000, said in -5000_i64..5000) {
        let schema = json!({ "type": "integer", "minimum": low, "maximum": low + span });
        let made = make(schema, &format!("take {said}")).as_i64().unwrap();
        prop_assert!((low..=low + span).contains(&made));
    }

    #[test]
    fn no_text_and_no_schema_panics(text in "\\PC{0,80}", key in "(type|enum|items|anyOf|\\$ref|allOf|minItems)",
                                    value in "(string|object|array|[0-9]{1,3}|null|\\[\\])") {
        let value: Value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        let _ = make(json!({ key: value }), &text);
    }
}
