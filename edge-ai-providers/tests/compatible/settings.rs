use std::collections::BTreeSet;
use std::sync::Arc;

use edge_ai_core::{ChatRequest, ErrorKind, HttpClient, Provider, Secret};
use edge_ai_providers::OpenAi;
use edge_ai_providers::compatible::{
    AZURE, CLOUDFLARE, CLOUDFLARE_AI_GATEWAY, EnabledBy, GROQ, OLLAMA, OPENROUTER, PERPLEXITY, VENDORS,
    all_from_settings,
};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;

fn settings<'a>(known: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        let found = known.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

/// The request that a vendor of these settings sends.
fn request(
    vendor: &edge_ai_providers::compatible::Vendor,
    known: &[(&str, &str)],
    model: &str,
) -> http::Request<bytes::Bytes> {
    let http = ScriptedHttpClient::new().respond(ScriptedResponse::new(500));
    let provider = vendor
        .from_settings(Arc::new(http.clone()), &settings(known))
        .unwrap()
        .unwrap();
    let chat = provider.chat_model().unwrap();
    block_on(chat.chat(ChatRequest::new(model).user("Hello!"))).unwrap_err();
    http.requests().remove(0)
}

#[test]
fn a_vendor_is_there_when_its_setting_is() {
    let http: Arc<dyn HttpClient> = Arc::new(ScriptedHttpClient::new());
    let names = |known: &[(&str, &str)]| {
        let all = all_from_settings(&http, &settings(known)).unwrap();
        all.iter()
            .map(|vendor| vendor.name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), [""; 0]);
    assert_eq!(names(&[("GROQ_API_KEY", " ")]), [""; 0]);
    assert_eq!(
        names(&[
            ("XAI_API_KEY", "x"),
            ("GROQ_API_KEY", "g"),
            ("OLLAMA_BASE_URL", "http://10.0.0.5:11434/v1"),
            ("VLLM_API_KEY", "without an address"),
        ]),
        ["groq", "ollama", "xai"]
    );
}

#[test]
fn keys_go_where_the_vendor_wants_them() {
    let groq = request(&GROQ, &[("GROQ_API_KEY", "gsk_1")], "m");
    assert_eq!(
        groq.uri().to_string(),
        "https://api.groq.com/openai/v1/chat/completions"
    );
    assert_eq!(groq.headers()["authorization"], "Bearer gsk_1");

    let ollama = request(
        &OLLAMA,
        &[("OLLAMA_BASE_URL", "http://10.0.0.5:11434/v1/")],
        "qwen3",
    );
    assert_eq!(
        ollama.uri().to_string(),
        "http://10.0.0.5:11434/v1/chat/completions"
    );
    assert!(!ollama.headers().contains_key("authorization"));

    let account = ("CLOUDFLARE_ACCOUNT_ID", "0a1b");
    let gateway = request(
        &CLOUDFLARE_AI_GATEWAY,
        &[("CF_AIG_TOKEN", "t"), account],
        "openai/gpt-5.5",
    );
    assert_eq!(
        gateway.uri().to_string(),
        "https://gateway.ai.cloudflare.com/v1/0a1b/default/compat/chat/completions"
    );
    assert_eq!(gateway.headers()["cf-aig-authorization"], "Bearer t");
    assert!(!gateway.headers().contains_key("authorization"));
    let body: serde_json::Value = serde_json::from_slice(gateway.body()).unwrap();
    assert_eq!(body["model"], "openai/gpt-5.5");

    let named = ("CLOUDFLARE_GATEWAY_ID", "mine");
    let rest = request(&CLOUDFLARE, &[("CLOUDFLARE_API_TOKEN", "t"), account, named], "m");
    assert_eq!(
        rest.uri().to_string(),
        "https://api.cloudflare.com/client/v4/accounts/0a1b/ai/v1/chat/completions"
    );
    assert_eq!(rest.headers()["authorization"], "Bearer t");
    assert_eq!(rest.headers()["cf-aig-gateway-id"], "mine");

    let known = [
        ("OPENROUTER_API_KEY", "k"),
        ("OPENROUTER_SITE_URL", "https://example.com"),
    ];
    let openrouter = request(&OPENROUTER, &known, "m");
    assert_eq!(openrouter.headers()["http-referer"], "https://example.com");
    assert!(!openrouter.headers().contains_key("x-title"));
}

#[test]
fn what_cannot_be_names_its_setting_and_no_secret() {
    let http: Arc<dyn HttpClient> = Arc::new(ScriptedHttpClient::new());
    for (known, named) in [
        (
            &[("AZURE_OPENAI_API_KEY", "sk-secret")][..],
            "AZURE_OPENAI_RESOURCE",
        ),
        (
            &[
                ("AZURE_OPENAI_API_KEY", "sk-secret"),
                ("AZURE_OPENAI_RESOURCE", "evil.example/x?"),
            ],
            "AZURE_OPENAI_RESOURCE",
        ),
        (
            &[
                ("AZURE_OPENAI_API_KEY", "sk-secret"),
                ("AZURE_OPENAI_RESOURCE", "contoso"),
                ("AZURE_OPENAI_API_VERSION", "2024&x=y"),
            ],
            "2024&x=y",
        ),
        (
            &[("GROQ_API_KEY", "sk-secret"), ("GROQ_BASE_URL", "groq.com")],
            "GROQ_BASE_URL",
        ),
        (
            &[
                ("CF_AIG_TOKEN", "sk-secret"),
                ("CLOUDFLARE_ACCOUNT_ID", "a"),
                ("CF_AIG_BASE_URL", "x"),
            ],
            "CF_AIG_BASE_URL",
        ),
        (&[("GROQ_API_KEY", "sk-\nsecret")], "authorization"),
    ] {
        let error = all_from_settings(&http, &settings(known)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().contains(named), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    let error = OpenAi::vendor(&AZURE, Arc::clone(&http), Secret::new("sk-secret")).unwrap_err();
    assert!(error.message().contains("AZURE_OPENAI_RESOURCE"), "{error}");
}

#[test]
fn the_table_is_well_formed() {
    let http: Arc<dyn HttpClient> = Arc::new(ScriptedHttpClient::new());
    let mut settings_seen = BTreeSet::new();
    let mut names: Vec<_> = VENDORS.iter().map(|vendor| vendor.name).collect();
    for vendor in VENDORS {
        assert!(vendor.docs.starts_with("https://"), "{}", vendor.name);
        assert!(settings_seen.insert(vendor.key_setting) && settings_seen.insert(vendor.base_url_setting));
        let provider = vendor
            .builder(Arc::clone(&http), Secret::new("sk-secret"))
            .base_url("https://example.com/v1")
            .build()
            .unwrap();
        assert!(!format!("{provider:?} {vendor:?}").contains("sk-secret"));
        assert_eq!(provider.name(), vendor.name);
        assert_eq!(provider.models().len(), vendor.models.len());
        assert_eq!(
            provider.embedding_model().is_some(),
            vendor.capabilities.embeddings
        );
        assert_eq!(provider.chat_model().is_some(), vendor.capabilities.chat);
        assert_eq!(provider.reranker().is_some(), vendor.capabilities.rerank);
        assert_eq!(
            vendor.compatibility.tools, vendor.capabilities.tools,
            "{}",
            vendor.name
        );
        // No model does what its vendor's API does not carry.
        for model in vendor.models {
            let (model_can, api) = (model.capabilities, vendor.capabilities);
            for (can, carried) in [
                (model_can.tools, api.tools),
                (model_can.parallel_tools, api.parallel_tools),
                (model_can.vision, api.vision),
                (model_can.json_schema, api.json_schema),
                (model_can.reasoning, api.reasoning),
                (model_can.prompt_caching, api.prompt_caching),
                (model_can.embeddings, api.embeddings),
                (model_can.rerank, api.rerank),
            ] {
                assert!(!can || carried, "{} {}", vendor.name, model.id);
            }
        }
        if vendor.enabled_by == EnabledBy::Key {
            assert!(vendor.base_url.starts_with("https://"), "{}", vendor.name);
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), VENDORS.len());
    assert!(PERPLEXITY.models.iter().all(|model| !model.capabilities.tools));
}
