//! A gateway over SQLite, with a vendor that answers by a script.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Body, Inline, ManualClock, SeededEntropy, Timestamp};
use edge_ai_gateway::{
    Admin, AdminTokens, Caller, Gateway, GatewayBuilder, MasterKeys, RetryPolicy, RingCrypto, Route,
    VendorKeys, VirtualKeys,
};
use edge_ai_providers::OpenAi;
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use edge_ai_testkit::sqlite::Sqlite;
use futures_executor::block_on;
use http::{Request, Response};
use serde_json::{Value, json};

pub(crate) const ADMIN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The example's tables, empty.
pub(crate) fn sqlite() -> Sqlite {
    Sqlite::migrated(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/gateway/migrations"
    ))
}

/// Everything that is kept about keys and requests, as text.
pub(crate) fn dump(database: &Sqlite) -> String {
    [
        "keys",
        "key_secrets",
        "vendor_keys",
        "admin_audit",
        "usage_records",
    ]
    .map(|table| database.dump(table))
    .concat()
}

pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) database: Sqlite,
    pub(crate) gateway: Gateway,
    pub(crate) vendor: ScriptedHttpClient,
}

/// A gateway with virtual keys, vendor keys and the admin API; keys whose name has `bad` in it are refused by the vendor.
pub(crate) fn bench() -> Bench {
    bench_on(sqlite(), MASTER, |builder| builder)
}

pub(crate) fn bench_on(
    database: Sqlite,
    masters: &str,
    more: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
) -> Bench {
    let clock = ManualClock::new(Timestamp::from_millis(1_795_000_000_000));
    let vendor = ScriptedHttpClient::from_fn(|request| {
        let key = request.headers()["authorization"].to_str().unwrap();
        if key.contains("bad") {
            let error = json!({"error": {"message": "no quota", "type": "insufficient_quota", "code": "insufficient_quota"}});
            return Ok(ScriptedResponse::json(429, &error));
        }
        let answer = json!({
            "id": "x", "object": "chat.completion", "created": 1, "model": "gpt-5-mini",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
        });
        Ok(ScriptedResponse::json(200, &answer))
    });
    let keys = VirtualKeys::new(database.clone());
    let vendor_keys = VendorKeys::new(
        database.clone(),
        RingCrypto,
        MasterKeys::parse(&masters.into()).unwrap(),
    );
    let admin = Admin::new(keys.clone(), database.clone())
        .tokens(AdminTokens::parse(&format!("ops:{ADMIN}").into()).unwrap())
        .vendor_keys(vendor_keys.clone());
    // A seed of its own for each, as two gateways over one database have.
    static SEED: AtomicU32 = AtomicU32::new(1);
    let seed = SEED.fetch_add(1, Ordering::Relaxed);
    let builder = Gateway::builder(clock.clone(), SeededEntropy::new(seed.into()))
        .provider(
            OpenAi::builder(Arc::new(vendor.clone()), "sk-operator".into())
                .build()
                .unwrap(),
        )
        .provider(
            OpenAi::builder(Arc::new(vendor.clone()), "sk-spare".into())
                .name("spare")
                .build()
                .unwrap(),
        )
        .route("pair", Route::fallback(["openai/gpt-5-mini", "spare/gpt-5-mini"]))
        .route("smart", Route::alias("openai/gpt-5-mini"))
        .retry(RetryPolicy::NEVER)
        .access(keys)
        .vendor_keys(vendor_keys)
        .admin(admin);
    Bench {
        clock,
        database,
        gateway: more(builder).build().unwrap(),
        vendor,
    }
}

impl Bench {
    pub(crate) fn send(&self, request: Request<Body>) -> (u16, Value) {
        let response: Response<Body> = block_on(self.gateway.handle(request, Caller::new(Arc::new(Inline))));
        let status = response.status().as_u16();
        let bytes: Bytes = block_on(response.into_body().bytes(1 << 20)).unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    pub(crate) fn admin(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {ADMIN}"))
            .header("content-type", "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap())
    }

    /// Makes a key and gives its identifier and secret.
    pub(crate) fn key(&self, more: Value) -> (String, String) {
        let mut body = json!({"tenant": "acme", "name": "test"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (status, answer) = self.admin("POST", "/admin/keys", Some(body));
        assert_eq!(status, 201, "{answer}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&answer["key"]["id"]), text(&answer["secret"]))
    }

    pub(crate) fn ask_with(&self, key: &str, model: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = Request::post("/v1/chat/completions")
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = json!({"model": model, "messages": [{"role": "user", "content": "Capital of France?"}]});
        self.send(request.body(body.to_string().into()).unwrap())
    }

    pub(crate) fn ask(&self, key: &str, model: &str) -> (u16, Value) {
        self.ask_with(key, model, &[])
    }

    /// The status and the code of an answer.
    pub(crate) fn outcome(&self, key: &str) -> (u16, String) {
        let (status, answer) = self.ask(key, "openai/gpt-5-mini");
        (
            status,
            answer["error"]["code"].as_str().unwrap_or_default().to_owned(),
        )
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn batches(&self) -> u32 {
        self.database.batches()
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.database.set_down(down);
    }

    /// What the vendor was last asked with.
    pub(crate) fn vendor_saw(&self) -> String {
        let requests = self.vendor.requests();
        requests.last().unwrap().headers()["authorization"]
            .to_str()
            .unwrap()
            .to_owned()
    }
}
