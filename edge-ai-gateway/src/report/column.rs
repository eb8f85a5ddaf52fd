use edge_ai_core::Row;
use serde_json::Value;

/// A column as a whole number; 0 where there is none.
pub(super) fn number(row: &Row, column: &str) -> u64 {
    match row.get(column) {
        Some(Value::Number(number)) => number
            .as_u64()
            .or_else(|| number.as_f64().map(|number| number.max(0.0) as u64))
            .unwrap_or_default(),
        _ => 0,
    }
}

/// A column as a text; empty where there is none.
pub(super) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}
