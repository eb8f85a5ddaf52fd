//! The admin API and those who should not come in.

use std::sync::{Arc, Mutex};

use edge_ai_core::{Body, CachePurge, Error, ErrorKind, Purge, Result, async_trait};
use http::Request;
use serde_json::{Value, json};

use crate::bench::{ADMIN, MASTER, bench, bench_on, sqlite};

#[test]
fn nobody_comes_in_without_the_token() {
    let bench = bench();
    let (_, secret) = bench.key(json!({}));
    let long = "x".repeat(100_000);
    for (header, value) in [
        ("authorization", "Bearer "),
        ("authorization", &format!("Bearer {}", &ADMIN[1..])),
        ("authorization", &format!("Bearer {ADMIN}x")),
        ("authorization", &format!("Basic {ADMIN}")),
        ("authorization", ADMIN),
        ("authorization", &format!("Bearer {secret}")),
        ("x-api-key", &long),
        ("cookie", &format!("token={ADMIN}")),
    ] {
        for (method, path) in [
            ("GET", "/admin/keys"),
            ("POST", "/admin/keys"),
            ("GET", "/admin/openapi.json"),
            ("GET", "/admin/nothing"),
            ("DELETE", "/admin/keys/key_1"),
        ] {
            let request = Request::builder().method(method).uri(path).header(header, value);
            let (status, told) = bench.send(request.body(Body::empty()).unwrap());
            assert_eq!(status, 401, "{method} {path} {header}: {told}");
        }
    }
}

#[test]
fn a_page_of_another_site_cannot_write() {
    let bench = bench();
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain; application/json",
    ] {
        let request = Request::post("/admin/keys")
            .header("authorization", format!("Bearer {ADMIN}"))
            .header("content-type", media_type);
        let body = json!({"tenant": "acme", "name": "x"}).to_string();
        assert_eq!(
            bench.send(request.body(body.into()).unwrap()).0,
            415,
            "{media_type}"
        );
    }
}

#[test]
fn there_is_no_admin_api_unless_it_is_turned_on() {
    let bench = bench();
    let plain = edge_ai_gateway::Gateway::builder(bench.clock.clone(), edge_ai_core::SeededEntropy::new(1))
        .build()
        .unwrap();
    let request = Request::get("/admin/keys").header("authorization", format!("Bearer {ADMIN}"));
    let caller = edge_ai_gateway::Caller::new(std::sync::Arc::new(edge_ai_core::Inline));
    let response = futures_executor::block_on(plain.handle(request.body(Body::empty()).unwrap(), caller));
    assert_eq!(response.status(), 404);
}

#[test]
fn what_does_not_read_is_told_by_its_field() {
    let bench = bench();
    let base = json!({"tenant": "acme", "name": "x"});
    let with = |field: &str, value: Value| {
        let mut body = base.clone();
        body[field] = value;
        body
    };
    for (body, field) in [
        (json!({"name": "x"}), "tenant"),
        (json!({"tenant": "acme"}), "name"),
        (with("tenant", json!("a/b")), "tenant"),
        (with("tenant", json!("")), "tenant"),
        (with("name", json!("a\nb")), "name"),
        (with("nmae", json!("x")), "nmae"),
        (with("models", json!({"allow": ["a*b"]})), "models.allow[0]"),
        (with("metadata", json!({"": "x"})), "metadata."),
        (with("expires_at_ms", json!(5)), "expires_at_ms"),
    ] {
        let (status, told) = bench.admin("POST", "/admin/keys", Some(body));
        assert_eq!((status, &told["error"]["param"]), (400, &json!(field)), "{told}");
    }
    let (status, told) = bench.admin(
        "POST",
        "/admin/keys",
        Some(with("limits", json!(["20 dollars a month"]))),
    );
    assert_eq!(status, 400, "{told}");
}

#[test]
fn names_are_data_and_never_sql() {
    let bench = bench();
    let nasty = "'; DROP TABLE keys; --";
    let (id, _) = bench.key(json!({"name": nasty, "metadata": {"note": nasty}}));
    bench.key(json!({"tenant": "globex"}));
    let tenant = "acme' OR '1'='1".replace(' ', "%20").replace('\'', "%27");
    let (_, listed) = bench.admin("GET", &format!("/admin/keys?tenant={tenant}"), None);
    assert_eq!(listed["data"], json!([]));
    let (_, shown) = bench.admin("GET", &format!("/admin/keys/{id}"), None);
    assert_eq!(shown["key"]["name"], nasty);
    for path in [
        "/admin/keys/%27%20OR%201=1",
        "/admin/keys/*",
        "/admin/keys/key_0'--",
    ] {
        assert_eq!(bench.admin("DELETE", path, None).0, 404, "{path}");
    }
    let (_, all) = bench.admin("GET", "/admin/keys", None);
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
}

#[test]
fn pages_follow_each_other() {
    let bench = bench();
    let mut made: Vec<_> = (0..5)
        .map(|_| {
            bench.wait(1);
            bench.key(json!({})).0
        })
        .collect();
    made.reverse();
    let mut seen = Vec::new();
    let mut path = "/admin/keys?limit=2".to_owned();
    loop {
        let (status, page) = bench.admin("GET", &path, None);
        assert_eq!(status, 200);
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|key| key["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/admin/keys?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, made);
}

#[test]
fn each_change_has_its_line_and_no_line_has_a_secret() {
    let bench = bench();
    let (id, secret) = bench.key(json!({"limits": ["$20 per month"]}));
    bench.admin(
        "PUT",
        &format!("/admin/keys/{id}"),
        Some(json!({"name": "renamed"})),
    );
    bench.admin("POST", &format!("/admin/keys/{id}/rotate"), None);
    bench.admin(
        "PUT",
        "/admin/tenants/acme/vendor-keys/openai",
        Some(json!({"key": "sk-of-acme-1234567"})),
    );
    bench.admin("DELETE", &format!("/admin/keys/{id}"), None);
    let (status, audit) = bench.admin("GET", "/admin/audit?limit=10", None);
    assert_eq!(status, 200);
    let lines = audit["data"].as_array().unwrap();
    let actions: Vec<_> = lines
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    let expect = [
        "key.delete",
        "vendor_key.put",
        "key.rotate",
        "key.update",
        "key.create",
    ];
    assert_eq!(actions, expect);
    assert!(lines.iter().all(|line| line["actor"] == "ops"));
    assert_eq!(lines[4]["subject"], json!(id));
    let text = audit.to_string();
    assert!(!text.contains(&secret) && !text.contains("sk-of-acme"));
}

#[test]
fn tenants_and_usage_are_summed_up() {
    let bench = bench();
    let (id, _) = bench.key(json!({}));
    bench.key(json!({"tenant": "globex"}));
    let (_, tenants) = bench.admin("GET", "/admin/tenants?limit=1", None);
    assert_eq!(
        (&tenants["data"][0]["tenant"], &tenants["next_cursor"]),
        (&json!("acme"), &json!("acme"))
    );
    for (request, outcome, cost) in [("a", "ok", "70"), ("b", "ok", "NULL"), ("c", "timeout", "NULL")] {
        bench.database.execute(&format!(
            "INSERT INTO usage_records (request_id, time_ms, tenant, key, operation, requested_model, stream, outcome, input_tokens, \
             output_tokens, cost_nano_dollars, latency_ms, attempts, warnings, metadata) VALUES ('{request}', 1794999999000, 'acme', \
             '{id}', 'chat', 'm', 0, '{outcome}', 3, 4, {cost}, 1, '[]', '[]', '{{}}')"
        ));
    }
    let (status, usage) = bench.admin("GET", "/admin/usage?by=key&tenant=acme", None);
    assert_eq!(status, 200, "{usage}");
    let row = &usage["data"][0];
    assert_eq!(row["key"], json!(id));
    for (field, sum) in [
        ("requests", 3),
        ("failed_requests", 1),
        ("input_tokens", 9),
        ("cost_nano_dollars", 70),
        ("unpriced_requests", 1),
    ] {
        assert_eq!(row[field], json!(sum), "{field}");
    }
    for (path, field) in [
        ("by=day", "by"),
        ("since_ms=9&until_ms=8", "since_ms"),
        ("since=1", "since"),
    ] {
        let (status, told) = bench.admin("GET", &format!("/admin/usage?{path}"), None);
        assert_eq!((status, &told["error"]["param"]), (400, &json!(field)));
    }
}

/// What is answered has the fields that the description requires, and no other.
#[test]
fn answers_are_as_described() {
    let bench = bench();
    let document: Value = serde_json::from_str(edge_ai_gateway::Admin::OPENAPI).unwrap();
    let check = |name: &str, value: &Value| {
        let schema = &document["components"]["schemas"][name];
        let fields = value.as_object().unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(
                fields.contains_key(required.as_str().unwrap()),
                "{name}: {required}"
            );
        }
        for field in fields.keys() {
            assert!(schema["properties"].get(field).is_some(), "{name}: {field}");
        }
    };
    let (id, _) = bench.key(json!({}));
    check(
        "Key",
        &bench.admin("GET", &format!("/admin/keys/{id}"), None).1["key"],
    );
    check(
        "SecretInfo",
        &bench.admin("GET", &format!("/admin/keys/{id}"), None).1["secrets"][0],
    );
    check("Tenant", &bench.admin("GET", "/admin/tenants", None).1["data"][0]);
    check(
        "AuditLine",
        &bench.admin("GET", "/admin/audit", None).1["data"][0],
    );
    let put = bench.admin(
        "PUT",
        "/admin/tenants/acme/vendor-keys/openai",
        Some(json!({"key": "sk-12345678"})),
    );
    check("VendorKey", &put.1["vendor_key"]);
    check("Error", &bench.admin("GET", "/admin/nothing", None).1);
}

/// Remembers what was purged, and is out of order for the tag `down`.
#[derive(Debug, Default)]
struct Purged(Mutex<Vec<Purge>>);

#[async_trait]
impl CachePurge for Purged {
    async fn purge(&self, purge: &Purge) -> Result<()> {
        if purge.tag.as_deref() == Some("down") {
            return Err(Error::new(ErrorKind::Unavailable, "the store is out"));
        }
        self.0.lock().unwrap().push(purge.clone());
        Ok(())
    }
}

#[test]
fn a_purge_goes_to_the_cache_and_into_the_trail() {
    let purged = Arc::new(Purged::default());
    let bench = bench_on(sqlite(), MASTER, |builder| {
        builder.cache_purge(Arc::clone(&purged))
    });
    let purge = |body: Value| bench.admin("POST", "/admin/cache/purge", Some(body));
    let (status, told) = purge(json!({"tenant": "acme", "model": "smart", "tag": "prices"}));
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        told["purged"],
        json!({"tenant": "acme", "model": "smart", "tag": "prices"})
    );
    let (status, told) = purge(json!({"everything": true}));
    assert_eq!((status, &told["everything"]), (200, &json!(true)));
    assert_eq!(purge(json!({"tag": "down"})).0, 503);
    let all = Purge::everything();
    let narrow = all.clone().of_tenant("acme").of_model("smart").tagged("prices");
    assert_eq!(*purged.0.lock().unwrap(), [narrow, all]);

    let (_, trail) = bench.admin("GET", "/admin/audit", None);
    let lines: Vec<_> = trail["data"].as_array().unwrap().iter().collect();
    assert!(
        lines
            .iter()
            .all(|line| line["action"] == "cache.purge" && line["actor"] == "ops")
    );
    let told: Vec<_> = lines
        .iter()
        .map(|line| (&line["tenant"], &line["subject"], &line["detail"]))
        .collect();
    let (none, acme) = (&Value::Null, &json!("acme"));
    let (some, every) = (&json!("cache"), &json!("*"));
    assert_eq!(
        told,
        [
            (none, some, &json!({"tag": "down"})),
            (none, every, &json!({})),
            (
                acme,
                some,
                &json!({"tenant": "acme", "model": "smart", "tag": "prices"})
            ),
        ]
    );
}

#[test]
fn a_purge_that_was_not_meant_is_refused_before_anything_is_forgotten() {
    let purged = Arc::new(Purged::default());
    let bench = bench_on(sqlite(), MASTER, |builder| {
        builder.cache_purge(Arc::clone(&purged))
    });
    for (body, field) in [
        (json!({}), "everything"),
        (json!({"everything": false}), "everything"),
        (json!({"everything": true, "tag": "x"}), "everything"),
        (json!({"tags": ["x"]}), "tags"),
        (json!({"model": "smrat"}), "model"),
    ] {
        let (status, told) = bench.admin("POST", "/admin/cache/purge", Some(body));
        assert!((400..=404).contains(&status), "{told}");
        assert_eq!(told["error"]["param"], field, "{told}");
    }
    assert_eq!(bench.admin("GET", "/admin/cache/purge", None).0, 405);
    assert!(purged.0.lock().unwrap().is_empty());
    assert_eq!(bench.admin("GET", "/admin/audit", None).1["data"], json!([]));
    let (status, told) = self::bench().admin("POST", "/admin/cache/purge", Some(json!({"everything": true})));
    assert!(status >= 400);
    assert_eq!(told["error"]["code"], "cache_off");
}
