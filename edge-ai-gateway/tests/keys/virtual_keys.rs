//! Virtual keys from their making to their end.

use crate::bench::{self, ADMIN, bench, bench_on, dump};
use edge_ai_core::SeededEntropy;
use edge_ai_gateway::VirtualKey;
use http::Request;
use serde_json::json;

const UNKNOWN: (u16, &str) = (401, "invalid_api_key");

fn is(outcome: (u16, String), expect: (u16, &str)) {
    assert_eq!((outcome.0, outcome.1.as_str()), expect);
}

#[test]
fn a_key_opens_until_it_is_revoked_and_never_lies_in_the_database() {
    let bench = bench();
    let (id, secret) = bench.key(json!({}));
    assert_eq!(bench.outcome(&secret).0, 200);
    let all = dump(&bench.database);
    assert!(!all.contains(&secret) && !all.contains(&secret[8..]), "{all}");
    let (status, shown) = bench.admin("GET", &format!("/admin/keys/{id}"), None);
    assert_eq!(
        (status, &shown["secrets"][0]["start"]),
        (200, &json!(&secret[..8]))
    );
    assert!(!shown.to_string().contains(&secret));
    assert_eq!(bench.admin("DELETE", &format!("/admin/keys/{id}"), None).0, 200);
    is(bench.outcome(&secret), UNKNOWN);
    assert_eq!(bench.admin("GET", &format!("/admin/keys/{id}"), None).0, 404);
}

#[test]
fn a_key_that_is_revoked_elsewhere_is_dead_within_a_minute() {
    let here = bench();
    let (id, secret) = here.key(json!({}));
    assert_eq!(here.outcome(&secret).0, 200);
    let elsewhere = bench_on(here.database.clone(), bench::MASTER, |builder| builder);
    assert_eq!(
        elsewhere.admin("DELETE", &format!("/admin/keys/{id}"), None).0,
        200
    );
    here.wait(29);
    assert_eq!(here.outcome(&secret).0, 200);
    here.wait(31);
    is(here.outcome(&secret), UNKNOWN);
}

#[test]
fn a_key_in_use_does_not_wait_for_the_database() {
    let bench = bench();
    let (_, secret) = bench.key(json!({}));
    assert_eq!(bench.outcome(&secret).0, 200);
    let before = bench.batches();
    for _ in 0..50 {
        assert_eq!(bench.outcome(&secret).0, 200);
    }
    assert_eq!(bench.batches(), before);
}

#[test]
fn rotation_keeps_the_earlier_secret_for_its_grace() {
    let bench = bench();
    let (id, first) = bench.key(json!({}));
    let rotate = |grace| {
        let (status, answer) = bench.admin(
            "POST",
            &format!("/admin/keys/{id}/rotate"),
            Some(json!({"grace_seconds": grace})),
        );
        assert_eq!(status, 200, "{answer}");
        answer["secret"].as_str().unwrap().to_owned()
    };
    let second = rotate(120);
    assert_eq!((bench.outcome(&first).0, bench.outcome(&second).0), (200, 200));
    bench.wait(119);
    assert_eq!(bench.outcome(&first).0, 200);
    bench.wait(1);
    is(bench.outcome(&first), (401, "rotated_api_key"));
    assert_eq!(bench.outcome(&second).0, 200);
    let third = rotate(0);
    is(bench.outcome(&second), UNKNOWN);
    assert_eq!(bench.outcome(&third).0, 200);
    let (status, answer) = bench.admin(
        "POST",
        &format!("/admin/keys/{id}/rotate"),
        Some(json!({"grace_seconds": 1e9 as u64})),
    );
    assert_eq!(
        (status, &answer["error"]["param"]),
        (400, &json!("grace_seconds"))
    );
}

#[test]
fn a_key_ends_on_its_day_and_can_be_turned_off_and_on() {
    let bench = bench();
    let (id, secret) = bench.key(json!({"expires_at_ms": 1_795_000_100_000_u64}));
    assert_eq!(bench.outcome(&secret).0, 200);
    bench.wait(100);
    is(bench.outcome(&secret), (401, "expired_api_key"));
    let put = |settings| bench.admin("PUT", &format!("/admin/keys/{id}"), Some(settings)).0;
    assert_eq!(put(json!({"name": "test", "disabled": true})), 200);
    is(bench.outcome(&secret), (401, "disabled_api_key"));
    assert_eq!(put(json!({"name": "test"})), 200);
    assert_eq!(put(json!({"name": "test"})), 200);
    assert_eq!(bench.outcome(&secret).0, 200);
}

#[test]
fn an_outage_stops_nobody_who_is_known_and_judges_nobody_who_is_not() {
    let bench = bench();
    let (_, known) = bench.key(json!({}));
    let (_, unseen) = bench.key(json!({}));
    assert_eq!(bench.outcome(&known).0, 200);
    bench.set_down(true);
    bench.wait(1_800);
    assert_eq!(bench.outcome(&known).0, 200);
    let tries = bench.batches();
    assert_eq!(bench.outcome(&known).0, 200);
    assert_eq!(bench.batches(), tries, "the database is left alone for a moment");
    is(bench.outcome(&unseen), (503, "key_check_unavailable"));
    bench.wait(1_800);
    is(bench.outcome(&known), (503, "key_check_unavailable"));
    bench.set_down(false);
    assert_eq!((bench.outcome(&known).0, bench.outcome(&unseen).0), (200, 200));
}

#[test]
fn guesses_do_not_reach_the_database() {
    let bench = bench();
    let (_, good) = bench.key(json!({}));
    let mut slip = good.clone().into_bytes();
    slip.swap(10, 11);
    slip[20] = if slip[20] == b'a' { b'b' } else { b'a' };
    let slip = String::from_utf8(slip).unwrap();
    let before = bench.batches();
    is(bench.outcome(&slip), UNKNOWN);
    is(bench.outcome("eai_short"), UNKNOWN);
    is(bench.outcome("sk-something-else"), UNKNOWN);
    assert_eq!(bench.batches(), before);

    let entropy = SeededEntropy::new(99);
    let stranger = VirtualKey::generate(&entropy);
    for _ in 0..10 {
        is(bench.outcome(stranger.expose()), UNKNOWN);
    }
    assert_eq!(bench.batches(), before + 1);
    for _ in 0..1_000 {
        bench.outcome(VirtualKey::generate(&entropy).expose());
    }
    assert!(bench.batches() - before <= 301, "{}", bench.batches() - before);
    is(
        bench.outcome(VirtualKey::generate(&entropy).expose()),
        (503, "key_check_unavailable"),
    );
    bench.wait(1);
    assert_eq!(bench.outcome(&good).0, 200);
}

#[test]
fn a_key_gets_the_models_that_it_may_ask_for_by_any_of_their_names() {
    let bench = bench();
    let (id, secret) =
        bench.key(json!({"models": {"allow": ["smart", "openai/*"], "deny": ["openai/gpt-5-pro"]}}));
    assert_eq!(secret.len(), 53);
    for (model, status) in [
        ("smart", 200),
        ("gpt-5-mini", 200),
        ("openai/gpt-5-mini", 200),
        ("gpt-5-pro", 403),
        ("openai/gpt-5-pro", 403),
    ] {
        let (told, answer) = bench.ask(&secret, model);
        assert_eq!(told, status, "{model}: {answer}");
        if status == 403 {
            let error = &answer["error"];
            assert_eq!(
                (&error["param"], &error["code"]),
                (&json!("model"), &json!("model_not_allowed"))
            );
            let message = error["message"].as_str().unwrap();
            assert!(
                message.contains(&id) && message.contains(model) && message.contains("/v1/models"),
                "{message}"
            );
        }
    }
}

#[test]
fn a_list_of_models_is_the_keys_own() {
    let bench = bench();
    let (_, secret) = bench.key(json!({"models": {"allow": ["smart"]}}));
    let get = |path: &str| {
        let request = Request::get(path).header("x-api-key", &secret);
        bench.send(request.body(edge_ai_core::Body::empty()).unwrap())
    };
    let (_, listed) = get("/v1/models");
    let names: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(names, [&json!("smart")]);
    assert_eq!(
        (get("/v1/models/smart").0, get("/v1/models/openai%2Fgpt-5-mini").0),
        (200, 404)
    );
    assert_eq!(bench.ask(&secret, "openai/gpt-5-mini").0, 403);
}

#[test]
fn the_last_use_is_noted_once_in_a_while() {
    let bench = bench();
    let (id, secret) = bench.key(json!({}));
    let last_use =
        || bench.admin("GET", &format!("/admin/keys/{id}"), None).1["key"]["last_used_at_ms"].clone();
    assert!(last_use().is_null());
    for (wait, noted) in [
        (0, 1_795_000_000_000_u64),
        (10, 1_795_000_000_000),
        (300, 1_795_000_310_000),
    ] {
        bench.wait(wait);
        assert_eq!(bench.outcome(&secret).0, 200);
        assert_eq!(last_use(), json!(noted));
    }
}

#[test]
fn the_admins_token_is_no_key_and_a_key_is_no_admins_token() {
    let bench = bench();
    let (_, secret) = bench.key(json!({}));
    is(bench.outcome(ADMIN), UNKNOWN);
    let request = Request::get("/admin/keys").header("authorization", format!("Bearer {secret}"));
    let (status, answer) = bench.send(request.body(edge_ai_core::Body::empty()).unwrap());
    assert_eq!(
        (status, &answer["error"]["code"]),
        (401, &json!("invalid_admin_token"))
    );
}
