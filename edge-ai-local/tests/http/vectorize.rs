use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Local;

fn rows() -> Vec<Value> {
    vec![
        json!({ "id": "east", "values": [1, 0], "namespace": "a", "metadata": { "lang": "en" } }),
        json!({ "id": "north", "values": [0, 1], "namespace": "b", "metadata": { "lang": "de" } }),
    ]
}

#[tokio::test]
async fn the_whole_life_of_a_vector() {
    let local = Local::with(&["docs:2:cosine:lang=string"]).await;
    let (status, written) = local.write("upsert", &rows()).await;
    assert_eq!((status, written["mutationId"].as_str().unwrap().len()), (200, 36));
    let info: Value = local
        .http
        .get(format!("{}/info", local.url))
        .header("host", "vector-search")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&info["vectorCount"], &info["dimensions"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(info["processedUpToMutation"], written["mutationId"]);
    let (_, found) = local
        .vectorize(
            "query",
            &json!({ "vector": [1, 0.1], "topK": 1, "returnMetadata": "all" }),
        )
        .await;
    assert_eq!(
        (&found["count"], &found["matches"][0]["id"]),
        (&json!(1), &json!("east"))
    );
    let (_, filtered) = local
        .vectorize(
            "query",
            &json!({ "vectorId": "east", "filter": { "lang": { "$ne": "en" } } }),
        )
        .await;
    assert_eq!(filtered["matches"][0]["id"], "north");
    let (_, got) = local
        .vectorize("getByIds", &json!({ "ids": ["north", "nowhere"] }))
        .await;
    assert_eq!(
        got,
        json!([{ "id": "north", "values": [0.0, 1.0], "namespace": "b", "metadata": { "lang": "de" } }])
    );
    assert_eq!(
        local
            .vectorize("deleteByIds", &json!({ "ids": ["north"] }))
            .await
            .0,
        200
    );
    assert_eq!(
        local.vectorize("getByIds", &json!({ "ids": ["north"] })).await.1,
        json!([])
    );
}

#[tokio::test]
async fn errors_have_the_shape_that_the_binding_throws() {
    let local = Local::with(&["docs:2:cosine"]).await;
    for (operation, body, code) in [
        ("query", json!({ "vector": [1] }), 40006),
        (
            "query",
            json!({ "vector": [1, 0], "topK": 51, "returnValues": true }),
            40025,
        ),
        (
            "query",
            json!({ "vector": [1, 0], "returnMetadata": false }),
            40026,
        ),
        ("getByIds", json!({ "ids": vec!["x"; 21] }), 40007),
        ("deleteByIds", json!({ "ids": vec!["x"; 101] }), 40007),
        (
            "upsert",
            json!({ "vectors": [{ "id": "x".repeat(65), "values": [1, 0] }] }),
            40008,
        ),
        (
            "upsert",
            json!({ "vectors": [{ "id": "x", "values": [1] }] }),
            40012,
        ),
        ("insert", json!({ "vectors": [{ "id": "x" }] }), 40023),
    ] {
        let (status, error) = local.vectorize(operation, &body).await;
        assert_eq!(
            (status, &error["code"]),
            (400, &json!(code)),
            "{operation} {error}"
        );
        assert!(error["error"].is_string());
    }
    assert_eq!(local.write("insert", &[]).await.0, 400);
}

#[tokio::test]
async fn a_write_is_acknowledged_before_it_is_visible() {
    let local = Local::visible_after(&["docs:2:cosine"], Duration::from_secs(3600)).await;
    assert_eq!(local.write("upsert", &rows()).await.0, 200);
    assert_eq!(
        local.vectorize("query", &json!({ "vector": [1, 0] })).await.1["count"],
        0
    );
    assert_eq!(
        local.vectorize("getByIds", &json!({ "ids": ["east"] })).await.1,
        json!([])
    );
}

#[tokio::test]
async fn indexes_are_kept_apart_by_name_header_and_binding() {
    let local = Local::start().await;
    let write = |path: &str| local.post(path, &json!({ "vectors": [{ "id": path, "values": [1, 2, 3] }] }));
    write("/vectorize/one/upsert").send().await.unwrap();
    write("/upsert")
        .header("host", "vector-search")
        .header("x-edge-ai-index", "two")
        .send()
        .await
        .unwrap();
    write("/")
        .header("mf-url", "http://vector-search/upsert")
        .header("mf-binding", "THREE")
        .send()
        .await
        .unwrap();
    let names: Vec<Value> = local
        .get("/_local/vectorize")
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|i| json!([i["name"], i["vectorCount"]]))
        .collect();
    assert_eq!(names, [json!(["THREE", 1]), json!(["one", 1]), json!(["two", 1])]);
}

#[tokio::test]
async fn indexes_are_declared_while_it_runs() {
    let local = Local::start().await;
    let put = async |body: Value| {
        local
            .http
            .put(format!("{}/_local/vectorize/docs", local.url))
            .json(&body)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(
        put(json!({ "dimensions": 2, "metric": "euclidean", "metadata_indexes": { "lang": "string" } }))
            .await,
        200
    );
    for bad in [
        json!({}),
        json!({ "dimensions": 0 }),
        json!({ "dimensions": 2, "metric": "x" }),
        json!({ "dimensions": 2, "metadata_indexes": { "a": "date" } }),
    ] {
        assert_eq!(put(bad.clone()).await, 400, "{bad}");
    }
    local.write("upsert", &rows()).await;
    let (_, found) = local
        .vectorize("query", &json!({ "vector": [1, 0], "filter": { "lang": "de" } }))
        .await;
    assert_eq!(
        (&found["count"], &found["matches"][0]["id"]),
        (&json!(1), &json!("north"))
    );
    let hinted = local
        .post("/query", &json!({ "vector": [1, 0], "filter": { "free": 1 } }))
        .header("host", "vector-search");
    assert!(
        hinted
            .send()
            .await
            .unwrap()
            .headers()
            .contains_key("x-edge-ai-local-hint")
    );
}
