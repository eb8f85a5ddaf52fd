//! Vertex AI's client and the tokens of its service accounts, against scripted answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use edge_ai_core::{
    ChatModel, ChatRequest, Clock, ErrorKind, ManualClock, Provider, Result, Timestamp, async_trait,
};
use edge_ai_providers::Vertex;
use edge_ai_providers::anthropic::MESSAGES;
use edge_ai_providers::gemini::GENERATE;
use edge_ai_providers::vertex::{AccessToken, Rs256, ServiceAccount, TokenSource};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use serde_json::{Value, json};

const CLAUDE: &str = include_str!("fixtures/anthropic/tools.response.json");
const CLAUDE_STREAM: &str = include_str!("fixtures/anthropic/tools.stream.txt");
const GEMINI: &str = include_str!("fixtures/gemini/text.response.json");
const GEMINI_STREAM: &str = include_str!("fixtures/gemini/text.stream.sse");

fn answer(status: u16, body: impl Into<bytes::Bytes>) -> ScriptedResponse {
    ScriptedResponse::new(status)
        .header("content-type", "application/json")
        .body(body.into())
}

fn vertex(http: &ScriptedHttpClient) -> Vertex {
    let tokens = Arc::new(AccessToken::new("ya29.secret"));
    Vertex::builder(Arc::new(http.clone()), "my-project", tokens)
        .location("europe-west1")
        .build()
        .unwrap()
}

#[test]
fn geminis_models_are_googles() {
    let http = ScriptedHttpClient::new()
        .respond(answer(200, GEMINI))
        .respond(ScriptedResponse::sse(GEMINI_STREAM));
    let vertex = vertex(&http);
    let request = || ChatRequest::new("gemini-3.8-flash").user("hi");
    assert!(
        block_on(vertex.chat(request()))
            .unwrap()
            .native_in(&GENERATE)
            .is_some()
    );
    let stream = block_on(vertex.chat_stream(request())).unwrap();
    assert_eq!(stream.dialect(), Some(&GENERATE));
    assert_eq!(block_on(stream.collect()).unwrap().text(), "Paris is é.");
    let sent = http.requests();
    let models = "https://europe-west1-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west1/publishers/google/models";
    assert_eq!(
        sent[0].uri(),
        format!("{models}/gemini-3.8-flash:generateContent").as_str()
    );
    assert_eq!(
        sent[1].uri(),
        format!("{models}/gemini-3.8-flash:streamGenerateContent?alt=sse").as_str()
    );
    assert_eq!(sent[0].headers()["authorization"], "Bearer ya29.secret");
    assert!(!format!("{vertex:?}").contains("secret"));
}

#[test]
fn claudes_models_are_anthropics() {
    let http = ScriptedHttpClient::new()
        .respond(answer(200, CLAUDE))
        .respond(ScriptedResponse::sse(CLAUDE_STREAM));
    let vertex = vertex(&http);
    let request = || {
        ChatRequest::new("claude-sonnet-4-5@20250929")
            .user("hi")
            .max_output_tokens(9)
    };
    block_on(vertex.chat(request())).unwrap();
    let body = http.last_json();
    assert_eq!(
        body,
        json!({"max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
            "anthropic_version": "vertex-2023-10-16"})
    );
    let stream = block_on(vertex.chat_stream(request())).unwrap();
    assert_eq!(stream.dialect(), Some(&MESSAGES));
    block_on(stream.collect()).unwrap();
    assert_eq!(http.last_json()["stream"], true);
    let sent = http.requests();
    let model = "/publishers/anthropic/models/claude-sonnet-4-5@20250929";
    assert!(sent[0].uri().path().ends_with(&format!("{model}:rawPredict")));
    assert!(
        sent[1]
            .uri()
            .path()
            .ends_with(&format!("{model}:streamRawPredict"))
    );
    assert!(!sent[0].headers().contains_key("anthropic-version"));
}

#[test]
fn errors_are_googles_or_anthropics() {
    let anthropics = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let googles =
        r#"{"error":{"code":403,"message":"Vertex AI API has not been used","status":"PERMISSION_DENIED"}}"#;
    let http = ScriptedHttpClient::new()
        .respond(answer(529, anthropics))
        .respond(answer(403, googles));
    let vertex = vertex(&http);
    for (kind, code) in [
        (ErrorKind::Unavailable, "overloaded_error"),
        (ErrorKind::PermissionDenied, "PERMISSION_DENIED"),
    ] {
        let error = block_on(vertex.chat(ChatRequest::new("claude-opus-5-5").user("hi"))).unwrap_err();
        assert_eq!(
            (error.kind(), error.code(), error.provider()),
            (kind, Some(code), Some("vertex"))
        );
    }
}

#[test]
fn the_settings_are_checked() {
    let http = ScriptedHttpClient::new();
    let builder =
        |project: &str| Vertex::builder(Arc::new(http.clone()), project, Arc::new(AccessToken::new("t")));
    for (wrong, setting) in [
        (builder("a/b").build(), "GOOGLE_VERTEX_PROJECT"),
        (builder(" ").build(), "GOOGLE_VERTEX_PROJECT"),
        (builder("p").location("..").build(), "GOOGLE_VERTEX_LOCATION"),
        (builder("p").base_url("x").build(), "GOOGLE_VERTEX_BASE_URL"),
    ] {
        let error = wrong.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().contains(setting), "{error}");
    }
    let vertex = builder("example.com:p").name("vertex-eu").build().unwrap();
    assert_eq!(vertex.name(), "vertex-eu");
    let has = |start: &str| vertex.models().iter().any(|model| model.id.starts_with(start));
    assert!(has("gemini-") && has("claude-") && !has("gemini-embedding"));
}

/// A key and what it signed.
type Signed = (Vec<u8>, Vec<u8>);

/// A signer whose signature is 256 bytes, and tells what it was asked to sign.
#[derive(Clone, Debug, Default)]
struct Signer(Arc<Mutex<Vec<Signed>>>);

#[async_trait]
impl Rs256 for Signer {
    async fn sign(&self, pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>> {
        self.0.lock().unwrap().push((pkcs8.to_vec(), message.to_vec()));
        Ok(vec![7; 256])
    }
}

struct Account {
    http: ScriptedHttpClient,
    clock: ManualClock,
    signer: Signer,
    account: ServiceAccount,
}

fn account(answers: Vec<ScriptedResponse>) -> Account {
    let http = answers
        .into_iter()
        .fold(ScriptedHttpClient::new(), |http, answer| http.respond(answer));
    let clock = ManualClock::new(Timestamp::from_millis(1_764_000_000_000));
    let signer = Signer::default();
    let file = json!({"type": "service_account", "project_id": "my-project", "private_key_id": "k1",
        "private_key": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        "client_email": "a@my-project.iam.gserviceaccount.com", "token_uri": "https://oauth2.example/token"});
    let account = ServiceAccount::from_json(
        &file.to_string(),
        Arc::new(http.clone()),
        Arc::new(clock.clone()),
        Arc::new(signer.clone()),
    )
    .unwrap();
    Account {
        http,
        clock,
        signer,
        account,
    }
}

fn granted(token: &str) -> ScriptedResponse {
    answer(
        200,
        json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}).to_string(),
    )
}

fn token(account: &Account) -> String {
    block_on(account.account.token()).unwrap().expose().to_owned()
}

#[test]
fn a_signed_assertion_gives_a_token_for_an_hour() {
    let account = account(vec![granted("t1"), granted("t2")]);
    assert_eq!(account.account.project(), Some("my-project"));
    assert_eq!(token(&account), "t1");
    account.clock.advance(Duration::from_secs(3_299));
    assert_eq!(token(&account), "t1");
    account.clock.advance(Duration::from_secs(2));
    assert_eq!(token(&account), "t2");
    let sent = account.http.requests();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].uri(), "https://oauth2.example/token");
    assert_eq!(
        sent[0].headers()["content-type"],
        "application/x-www-form-urlencoded"
    );
    let form = std::str::from_utf8(sent[0].body()).unwrap();
    let assertion = form
        .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        .unwrap();
    let parts: Vec<_> = assertion.split('.').collect();
    let read = |at: usize| BASE64_URL_SAFE_NO_PAD.decode(parts[at]).unwrap();
    assert_eq!((parts.len(), read(2)), (3, vec![7; 256]));
    let claims: Value = serde_json::from_slice(&read(1)).unwrap();
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (
            &json!("a@my-project.iam.gserviceaccount.com"),
            &json!("https://oauth2.example/token")
        )
    );
    let signed = account.signer.0.lock().unwrap();
    assert_eq!(
        signed[0],
        (
            b"secret".to_vec(),
            format!("{}.{}", parts[0], parts[1]).into_bytes()
        )
    );
}

#[test]
fn a_token_that_cannot_be_renewed_is_used_to_its_end_and_asked_for_in_turns() {
    let down = || answer(503, "{}");
    let account = account(vec![granted("t1"), down(), down(), granted("t2")]);
    assert_eq!(token(&account), "t1");
    account.clock.advance(Duration::from_secs(3_400));
    // One tries; those that come while it is its turn do not.
    for _ in 0..3 {
        assert_eq!(token(&account), "t1");
    }
    assert_eq!(account.http.requests().len(), 2);
    account.clock.advance(Duration::from_secs(31));
    assert_eq!(token(&account), "t1");
    assert_eq!(account.http.requests().len(), 3);
    account.clock.advance(Duration::from_secs(165));
    assert_eq!(token(&account), "t2");
}

#[test]
fn without_a_token_no_request_is_sent() {
    let refusal = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
    let account = account(vec![
        answer(400, refusal),
        answer(500, "<html>"),
        answer(200, "{}"),
    ]);
    let http = ScriptedHttpClient::new();
    let vertex = Vertex::builder(Arc::new(http.clone()), "p", Arc::new(account.account.clone()))
        .build()
        .unwrap();
    for (kind, word) in [
        (ErrorKind::Authentication, "invalid_grant: Invalid JWT Signature."),
        (ErrorKind::Unavailable, "status 500"),
        (ErrorKind::BadUpstream, "access_token"),
    ] {
        let error = block_on(vertex.chat(ChatRequest::new("gemini-3.8-flash").user("hi"))).unwrap_err();
        assert_eq!((error.kind(), error.provider()), (kind, Some("vertex")));
        assert!(error.message().contains(word), "{error}");
    }
    assert!(http.requests().is_empty());
    assert!(account.clock.now() > Timestamp::default());
}
