//! Tenants' own keys for vendors.

use serde_json::{Value, json};

use crate::bench::{self, Bench, bench, bench_on, dump};

const OWN: &str = "sk-own-key-of-acme-1234";

fn put(bench: &Bench, tenant: &str, alias: &str, key: &str) -> (u16, Value) {
    let path = format!("/admin/tenants/{tenant}/vendor-keys/openai?alias={alias}");
    bench.admin("PUT", &path, Some(json!({"key": key})))
}

#[test]
fn a_tenants_key_goes_to_the_vendor_for_that_tenant_alone() {
    let bench = bench();
    let (_, acme) = bench.key(json!({}));
    let (_, globex) = bench.key(json!({"tenant": "globex"}));
    assert_eq!(bench.outcome(&acme).0, 200);
    assert_eq!(bench.vendor_saw(), "Bearer sk-operator");
    let (status, told) = put(&bench, "acme", "default", OWN);
    assert_eq!((status, &told["vendor_key"]["hint"]), (200, &json!("1234")));
    assert!(!told.to_string().contains(OWN));
    for (key, saw) in [(&acme, OWN), (&globex, "sk-operator")] {
        assert_eq!(bench.outcome(key).0, 200);
        assert_eq!(bench.vendor_saw(), format!("Bearer {saw}"));
    }
    let (_, listed) = bench.admin("GET", "/admin/tenants/acme/vendor-keys", None);
    assert_eq!(listed["data"][0]["provider"], "openai");
    assert!(!listed.to_string().contains(OWN) && !dump(&bench.database).contains(OWN));
    let gone = bench.admin("DELETE", "/admin/tenants/acme/vendor-keys/openai", None);
    assert_eq!(gone.0, 200);
    assert_eq!(
        bench
            .admin("DELETE", "/admin/tenants/acme/vendor-keys/openai", None)
            .0,
        404
    );
    assert_eq!(bench.outcome(&acme).0, 200);
    assert_eq!(bench.vendor_saw(), "Bearer sk-operator");
}

#[test]
fn an_alias_chooses_among_a_tenants_keys() {
    let bench = bench();
    let (_, acme) = bench.key(json!({}));
    put(&bench, "acme", "default", OWN);
    put(&bench, "acme", "research", "sk-own-key-research");
    let ask = |alias| bench.ask_with(&acme, "smart", &[("cf-aig-byok-alias", alias)]);
    assert_eq!(ask("research").0, 200);
    assert_eq!(bench.vendor_saw(), "Bearer sk-own-key-research");
    let (status, told) = ask("nothing");
    assert_eq!(
        (status, &told["error"]["param"]),
        (400, &json!("cf-aig-byok-alias"))
    );
    assert_eq!(ask("../x").0, 400);
}

#[test]
fn an_exhausted_key_of_a_tenant_does_not_rest_the_target_for_others() {
    let bench = bench();
    let (_, acme) = bench.key(json!({}));
    let (_, globex) = bench.key(json!({"tenant": "globex"}));
    put(&bench, "acme", "default", "sk-bad-key-of-acme");
    for _ in 0..10 {
        assert_eq!(bench.ask(&acme, "pair").0, 200);
    }
    let asked = bench.vendor.requests().len();
    assert_eq!(asked, 13, "it rests for its tenant after three failures");
    assert_eq!(bench.ask(&globex, "pair").0, 200);
    assert_eq!(bench.vendor_saw(), "Bearer sk-operator");
}

#[test]
fn a_row_that_was_moved_or_put_back_does_not_open() {
    for tampered in [
        "UPDATE vendor_keys SET tenant = 'globex'",
        "UPDATE vendor_keys SET version = 9, tenant = 'globex'",
        "UPDATE vendor_keys SET sealed = 'AAAA', tenant = 'globex'",
        "UPDATE vendor_keys SET master_key = 'gone', tenant = 'globex'",
    ] {
        let bench = bench();
        let (_, globex) = bench.key(json!({"tenant": "globex"}));
        put(&bench, "acme", "default", OWN);
        bench.database.execute(tampered);
        let (status, told) = bench.ask(&globex, "smart");
        assert_eq!(
            (status, &told["error"]["code"]),
            (500, &json!("vendor_key_unreadable")),
            "{told}"
        );
        assert!(
            bench.vendor.requests().is_empty(),
            "the operator does not pay for it"
        );
    }
}

#[test]
fn a_new_master_key_takes_over() {
    const NEW: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let old = bench();
    let (_, acme) = old.key(json!({}));
    put(&old, "acme", "default", OWN);
    let both = bench_on(
        old.database.clone(),
        &format!("{NEW},{}", bench::MASTER),
        |builder| builder,
    );
    let reseal = || both.admin("POST", "/admin/vendor-keys/reseal", Some(json!({}))).1;
    assert_eq!(reseal(), json!({"resealed": 1, "remaining": 0}));
    assert_eq!(reseal(), json!({"resealed": 0, "remaining": 0}));
    let new = bench_on(old.database.clone(), NEW, |builder| builder);
    assert_eq!(new.outcome(&acme).0, 200);
    assert_eq!(new.vendor_saw(), format!("Bearer {OWN}"));
}

#[test]
fn an_outage_does_not_make_the_operator_pay() {
    let bench = bench();
    let (_, acme) = bench.key(json!({}));
    let (_, globex) = bench.key(json!({"tenant": "globex"}));
    put(&bench, "acme", "default", OWN);
    put(&bench, "globex", "default", OWN);
    assert_eq!(bench.outcome(&acme).0, 200);
    let other = bench_on(bench.database.clone(), bench::MASTER, |builder| builder);
    other.set_down(true);
    bench.wait(600);
    assert_eq!(bench.outcome(&acme).0, 200);
    assert_eq!(bench.vendor_saw(), format!("Bearer {OWN}"));
    assert_eq!(bench.outcome(&globex).0, 503);
}

#[test]
fn what_cannot_be_a_key_is_told_by_its_field() {
    let bench = bench();
    for (path, body, field) in [
        (
            "/admin/tenants/acme/vendor-keys/openai",
            json!({"key": "short"}),
            "key",
        ),
        (
            "/admin/tenants/acme/vendor-keys/openai",
            json!({"key": "has a space in it"}),
            "key",
        ),
        (
            "/admin/tenants/acme/vendor-keys/openai",
            json!({"keys": OWN}),
            "keys",
        ),
        (
            "/admin/tenants/acme/vendor-keys/nobody",
            json!({"key": OWN}),
            "provider",
        ),
        (
            "/admin/tenants/a%20b/vendor-keys/openai",
            json!({"key": OWN}),
            "tenant",
        ),
        (
            "/admin/tenants/acme/vendor-keys/openai?alias=a%00",
            json!({"key": OWN}),
            "alias",
        ),
    ] {
        let (status, told) = bench.admin("PUT", path, Some(body));
        assert_eq!((status, &told["error"]["param"]), (400, &json!(field)), "{told}");
        assert!(!told.to_string().contains(OWN));
    }
}
