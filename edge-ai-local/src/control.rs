//! `/_local/…`: the journal, fault rules, and index declarations; and the page that says what this is.

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::banner::banner;
use crate::config::{IndexConfig, Metric, PropertyType};
use crate::reply::Reply;
use crate::route::Target;
use crate::vectorize::limits;

/// Answers what is not for a stood-in service.
pub(crate) fn answer(app: &App, target: &Target, method: &Method, body: &[u8]) -> Reply {
    let path = match target {
        Target::About => return Reply::text(banner(app)),
        Target::Control(path) => path.trim_end_matches('/'),
        _ => return error(404, "nothing is here: GET / tells what is where"),
    };
    let (area, rest) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path.trim_start_matches('/'), ""));
    match (method.as_str(), area, rest) {
        ("GET", "health", "") => Reply::json(&json!({ "ok": true, "stand_in": true })),
        ("GET", "requests", "") => Reply::json(&app.journal.list()),
        ("DELETE", "requests", "") => {
            app.journal.clear();
            Reply::json(&json!({ "ok": true }))
        }
        ("GET", "faults", "") => Reply::json(&app.faults.list()),
        ("POST", "faults", "") => match parse(body).and_then(|rule| app.faults.add(&rule)) {
            Ok(id) => Reply::json(&json!({ "id": id })),
            Err(mistake) => error(400, &mistake),
        },
        ("DELETE", "faults", "") => Reply::json(&json!({ "removed": app.faults.remove(None) })),
        ("DELETE", "faults", id) => match id.parse() {
            Ok(id) => Reply::json(&json!({ "removed": app.faults.remove(Some(id)) })),
            Err(_) => error(404, "no such rule"),
        },
        (_, "vectorize", name) => index(app, method, name, body),
        (_, "health" | "requests" | "faults", _) => error(405, "method not allowed"),
        _ => error(404, "health, requests, faults, vectorize/INDEX"),
    }
}

fn index(app: &App, method: &Method, name: &str, body: &[u8]) -> Reply {
    match (method.as_str(), name) {
        ("GET", "") => Reply::json(&app.indexes.describe(app.clock.unix_ms())),
        (_, "") => error(404, "vectorize/INDEX"),
        ("PUT", name) => match parse(body).and_then(|config| declaration(name, &config)) {
            Ok(config) => {
                app.indexes.declare(config);
                Reply::json(&json!({ "ok": true }))
            }
            Err(mistake) => error(400, &mistake),
        },
        ("DELETE", name) => Reply::json(&json!({ "removed": app.indexes.remove(name) })),
        _ => error(405, "method not allowed"),
    }
}

/// Reads `{"dimensions": 384, "metric": "cosine", "metadata_indexes": {"lang": "string"}}`.
fn declaration(name: &str, value: &Value) -> Result<IndexConfig, String> {
    let dimensions = value
        .get("dimensions")
        .and_then(Value::as_u64)
        .and_then(|d| usize::try_from(d).ok())
        .filter(|d| (1..=limits::DIMENSIONS).contains(d))
        .ok_or("`dimensions` is a whole number from 1 to 1536")?;
    let metric: Metric = match value.get("metric") {
        None => Metric::Cosine,
        Some(metric) => metric.as_str().ok_or("`metric` is a string")?.parse()?,
    };
    let mut config = IndexConfig::new(name, dimensions, metric);
    let none = Map::new();
    let properties = value
        .get("metadata_indexes")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    for (property, kind) in properties {
        let kind: PropertyType = kind
            .as_str()
            .ok_or("a metadata index's type is a string")?
            .parse()?;
        config = config.with_metadata_index(property, kind);
    }
    if config.metadata_indexes.len() > limits::METADATA_INDEXES {
        return Err(format!(
            "an index has {} metadata indexes at most",
            limits::METADATA_INDEXES
        ));
    }
    Ok(config)
}

fn parse(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))
}

fn error(status: u16, message: &str) -> Reply {
    Reply::json(&json!({ "error": message })).with_status(status)
}
