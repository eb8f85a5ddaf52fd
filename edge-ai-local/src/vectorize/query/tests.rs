use serde_json::json;

use super::super::index::Change;
use super::super::vector::Vector;
use super::*;
use crate::config::{IndexConfig, PropertyType};
use crate::reply::Payload;

fn index(metric: Metric) -> Index {
    let config = IndexConfig::new("docs", 2, metric)
        .with_metadata_index("lang", PropertyType::String)
        .with_metadata_index("at.year", PropertyType::Number);
    let mut index = Index::new(config);
    let rows = [
        json!({ "id": "east", "values": [2, 0], "namespace": "a", "metadata": { "lang": "en", "at": { "year": 2020 } } }),
        json!({ "id": "north", "values": [0, 1], "namespace": "a", "metadata": { "lang": "de", "free": "text" } }),
        json!({ "id": "north-east", "values": [1, 1], "namespace": "b" }),
    ];
    let vectors = rows
        .iter()
        .map(|row| Vector::parse(row.to_string().as_bytes(), "upsert").unwrap())
        .collect();
    index.enqueue(Change::Upsert(vectors), "m".into(), 0, 0);
    index.advance(0);
    index
}

fn run(metric: Metric, query: Value) -> Value {
    let reply = Query::parse(Some(&query)).unwrap().run(&index(metric)).unwrap();
    let Payload::Whole { bytes, .. } = reply.payload else {
        panic!("a stream")
    };
    serde_json::from_slice(&bytes).unwrap()
}

fn ids(metric: Metric, query: Value) -> Vec<String> {
    let found = run(metric, query);
    let ids: Vec<String> = found["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].as_str().unwrap().into())
        .collect();
    assert_eq!(found["count"], ids.len());
    ids
}

fn code(query: Value) -> u32 {
    match Query::parse(Some(&query)) {
        Err(error) => error.code,
        Ok(query) => query.run(&index(Metric::Cosine)).unwrap_err().code,
    }
}

#[test]
fn each_metric_has_its_direction() {
    let east = json!({ "vector": [1, 0] });
    assert_eq!(ids(Metric::Cosine, east.clone()), ["east", "north-east", "north"]);
    assert_eq!(run(Metric::Cosine, east.clone())["matches"][0]["score"], 1.0);
    assert_eq!(
        ids(Metric::Euclidean, east.clone()),
        ["east", "north-east", "north"]
    );
    assert_eq!(run(Metric::Euclidean, east.clone())["matches"][0]["score"], 1.0);
    assert_eq!(
        ids(Metric::DotProduct, east.clone()),
        ["east", "north-east", "north"]
    );
    assert_eq!(run(Metric::DotProduct, east)["matches"][0]["score"], -2.0);
}

#[test]
fn namespaces_filters_and_top_k_narrow() {
    let ask = |more: Value| {
        let mut query = json!({ "vector": [1, 0] });
        query
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ids(Metric::Cosine, query)
    };
    assert_eq!(ask(json!({ "namespace": "a" })), ["east", "north"]);
    assert_eq!(ask(json!({ "topK": 1 })), ["east"]);
    assert_eq!(ask(json!({ "filter": { "lang": "de" } })), ["north"]);
    assert_eq!(
        ask(json!({ "filter": { "at.year": { "$gte": 2020, "$lt": 2021 } } })),
        ["east"]
    );
    assert_eq!(
        ask(json!({ "namespace": "b", "filter": { "lang": "de" } })),
        Vec::<String>::new()
    );
    assert_eq!(ask(json!({ "filter": { "free": "text" } })), Vec::<String>::new());
}

#[test]
fn values_and_metadata_come_when_asked_for() {
    let first = |more: &str| {
        let query = format!("{{\"vector\":[1,0]{more}}}");
        run(Metric::Cosine, serde_json::from_str(&query).unwrap())["matches"][0].clone()
    };
    assert_eq!(first(""), json!({ "id": "east", "score": 1.0, "namespace": "a" }));
    assert_eq!(first(r#","returnValues":true"#)["values"], json!([2.0, 0.0]));
    let all = json!({ "lang": "en", "at": { "year": 2020 } });
    assert_eq!(first(r#","returnMetadata":"all""#)["metadata"], all);
    assert_eq!(first(r#","returnMetadata":"indexed""#)["metadata"], all);
}

#[test]
fn by_id_the_vector_itself_comes_first() {
    assert_eq!(
        ids(Metric::Cosine, json!({ "vectorId": "north", "topK": 1 })),
        ["north"]
    );
    assert_eq!(code(json!({ "vectorId": "nowhere" })), 40000);
}

#[test]
fn each_rule_refuses_with_its_code() {
    assert_eq!(code(json!({ "vector": [1, 2, 3] })), 40006);
    assert_eq!(code(json!({ "vector": [] })), 40006);
    assert_eq!(code(json!({ "vector": [1, 0], "topK": 101 })), 40025);
    assert_eq!(
        code(json!({ "vector": [1, 0], "topK": 51, "returnValues": true })),
        40025
    );
    assert_eq!(
        code(json!({ "vector": [1, 0], "topK": 51, "returnMetadata": "all" })),
        40025
    );
    assert_eq!(code(json!({ "vector": [1, 0], "returnMetadata": false })), 40026);
    assert_eq!(code(json!({ "vector": [1, 0], "returnMetadata": "some" })), 40026);
    assert_eq!(code(json!({ "vector": [1, 0], "topK": 0 })), 40026);
    assert_eq!(code(json!({ "topK": 3 })), 40026);
    assert_eq!(
        code(json!({ "vector": [1, 0], "namespace": "n".repeat(65) })),
        40000
    );
    assert!(
        Query::parse(Some(
            &json!({ "vector": [1, 0], "topK": 100, "returnMetadata": "indexed" })
        ))
        .is_ok()
    );
    let text = Query::parse(Some(&json!({ "vector": [1], "returnValues": true, "topK": 60 })))
        .unwrap_err()
        .message;
    assert!(text.contains("max top K is 50, but got 60"));
}
