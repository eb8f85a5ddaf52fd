//! One exchange with a vendor that answers as recorded.

use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{ChatModel, ChatOutput, ChatRequest, Provider, Result, Secret};
use edge_ai_providers::OpenAi;
use edge_ai_providers::compatible::Vendor;
use edge_ai_providers::openai::decode_chat_request;
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use serde_json::Value;

macro_rules! fixture {
    ($path:literal) => {
        bytes::Bytes::from_static(include_bytes!(concat!("../fixtures/compatible/", $path)))
    };
}

pub(crate) use fixture;

/// The vendor's models over this client.
pub(crate) fn chat_model(vendor: &Vendor, http: &ScriptedHttpClient) -> Arc<dyn ChatModel> {
    OpenAi::vendor(vendor, Arc::new(http.clone()), Secret::new("sk-secret"))
        .unwrap()
        .chat_model()
        .unwrap()
}

pub(crate) fn json_answer(status: u16, body: Bytes) -> ScriptedResponse {
    ScriptedResponse::new(status)
        .header("content-type", "application/json")
        .body(body)
}

/// What an answer says.
pub(crate) fn answer(vendor: &Vendor, status: u16, body: Bytes) -> Result<ChatOutput> {
    let http = ScriptedHttpClient::new().respond(json_answer(status, body));
    let request = ChatRequest::new("m").user("Hello!");
    block_on(chat_model(vendor, &http).chat(request)).map(|answer| (*answer).clone())
}

/// What a stream says, however it is cut.
pub(crate) fn stream(vendor: &Vendor, body: Bytes) -> Result<ChatOutput> {
    let read = |cut| {
        let http = ScriptedHttpClient::new().respond(ScriptedResponse::sse(body.clone()).cut_every(cut));
        let request = ChatRequest::new("m").user("Hello!");
        block_on(async {
            chat_model(vendor, &http)
                .chat_stream(request)
                .await?
                .collect()
                .await
        })
    };
    let whole = read(usize::MAX);
    let cut = read(7);
    match (&whole, &cut) {
        (Ok(whole), Ok(cut)) => assert_eq!(whole, cut),
        (Err(whole), Err(cut)) => assert_eq!(whole.message(), cut.message()),
        _ => panic!("{whole:?} {cut:?}"),
    }
    whole
}

/// What the vendor gets for a request.
pub(crate) fn sent(vendor: &Vendor, request: ChatRequest) -> Value {
    let http = ScriptedHttpClient::new().respond(json_answer(200, fixture!("xai.response.json")));
    block_on(chat_model(vendor, &http).chat(request)).unwrap();
    http.last_json()
}

/// What the vendor gets for the body of a client that speaks OpenAI's dialect.
pub(crate) fn sent_for(vendor: &Vendor, body: &Bytes) -> Value {
    sent(vendor, decode_chat_request(body).unwrap().request)
}

/// What an answer of a deployment at Azure says.
pub(crate) fn azure_answer(status: u16, body: Bytes) -> Result<ChatOutput> {
    let http = ScriptedHttpClient::new().respond(json_answer(status, body));
    let azure = azure(&http, &[]);
    let request = ChatRequest::new("m").user("Hello!");
    block_on(azure.chat_model().unwrap().chat(request)).map(|answer| (*answer).clone())
}

/// A resource at Azure, with further settings.
pub(crate) fn azure(http: &ScriptedHttpClient, more: &[(&str, &str)]) -> OpenAi {
    let settings = |name: &str| match name {
        "AZURE_OPENAI_API_KEY" => Some("sk-secret".to_owned()),
        "AZURE_OPENAI_RESOURCE" => Some("contoso".to_owned()),
        _ => {
            let known = more.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| (*value).to_owned())
        }
    };
    let azure = edge_ai_providers::compatible::AZURE.from_settings(Arc::new(http.clone()), &settings);
    azure.unwrap().unwrap()
}
