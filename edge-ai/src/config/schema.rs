use super::Config;

/// The JSON Schema (draft 2020-12) of the [document](Config), for editors and for checks before it is published.
///
/// `docs/config.schema.json` in the repository is this text.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Config);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
