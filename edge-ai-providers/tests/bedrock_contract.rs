//! The contract suites for Bedrock, against its stand-in over a socket: requests are signed, and the stand-in checks the signature.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "a signature is of the machine's own time, natively"
)]

#[path = "openai/stand_in.rs"]
mod stand_in;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use edge_ai_core::{
    Capabilities, ChatModel, ChatRequest, Clock, ErrorKind, FunctionTool, Media, Message, RawJson,
    ReasoningConfig, Role, Secret, Timestamp, ToolChoice, ToolResult, async_trait,
};
use edge_ai_core::{ContentPart, FilePart, FinishReason, ImagePart};
use edge_ai_providers::Bedrock;
use edge_ai_providers::bedrock::Credentials;
use edge_ai_testkit::contract::chat_model::{self, ChatModelSubject, Fault};
use edge_ai_testkit::contract::embedding_model::{self, EmbeddingModelSubject};
use edge_ai_testkit::contract::reranker::{self, RerankerSubject};
use edge_ai_testkit::run;
use stand_in::{BASE_URL, Socket, block_on};

const CLAUDE: &str = "global.anthropic.claude-haiku-4-5-20251001-v1:0";

/// The machine's own time: the stand-in refuses a signature of another.
#[derive(Debug)]
struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
    }

    async fn sleep(&self, _: Duration) {}
}

fn keys() -> Credentials {
    Credentials::keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

fn bedrock(credentials: Credentials) -> Bedrock {
    let root = BASE_URL.trim_end_matches("/openai/v1");
    Bedrock::builder(
        Arc::new(Socket::default()),
        Arc::new(SystemClock),
        credentials,
        "us-east-1",
    )
    .base_url(format!("{root}/bedrock"))
    .build()
    .unwrap()
}

#[test]
fn chats() {
    for model in [
        CLAUDE,
        "global.anthropic.claude-sonnet-5",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ] {
        let subject = || {
            ChatModelSubject::new(bedrock(keys()), model)
                .with_capabilities(Capabilities::CHAT.tools().vision().json_schema())
                .with_unknown_model("missing.model")
                .with_faults(Fault::directive)
        };
        block_on(run(chat_model::cases(), subject)).assert_passed_but(&[
            "tools_are_refused_by_a_model_without_them",
            "an_image_is_refused_by_a_model_that_sees_none",
            "a_schema_is_refused_by_a_model_without_them",
        ]);
    }
}

#[test]
fn embeds() {
    for (model, batch) in [
        ("amazon.titan-embed-text-v2:0", 4),
        ("cohere.embed-multilingual-v3", 96),
    ] {
        let subject = || {
            EmbeddingModelSubject::new(bedrock(keys()), model)
                .with_dimensions(1_024)
                .with_batch(batch)
                .with_unknown_model("missing.model")
        };
        block_on(run(embedding_model::cases(), subject)).assert_passed_but(&[]);
    }
}

#[test]
fn reranks() {
    for model in ["cohere.rerank-v3-5:0", "amazon.rerank-v1:0"] {
        let subject = || RerankerSubject::new(bedrock(keys()), model).with_unknown_model("missing.model");
        block_on(run(reranker::cases(), subject)).assert_passed_but(&[]);
    }
}

#[test]
fn credentials_are_checked() {
    let ask = |credentials: Credentials| {
        block_on(ChatModel::chat(
            &bedrock(credentials),
            ChatRequest::new(CLAUDE).user("hi"),
        ))
        .map(|answer| answer.text())
        .map_err(|error| (error.kind(), error.code().unwrap_or_default().to_owned()))
    };
    let session = |token: &str| Credentials::Keys {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        session_token: Some(Secret::new(token)),
    };
    for good in [
        keys(),
        session("FwoGZXIvYXdzEXAMPLE//"),
        Credentials::ApiKey(Secret::new("bedrock-api-key-1")),
    ] {
        assert!(ask(good).is_ok());
    }
    for (bad, code) in [
        (
            Credentials::keys("AKIAIOSFODNN7EXAMPLE", "wrong"),
            "InvalidSignatureException",
        ),
        (
            Credentials::keys("AKIAOTHER", "wrong"),
            "UnrecognizedClientException",
        ),
        (session("expired"), "ExpiredTokenException"),
        (
            Credentials::ApiKey(Secret::new("invalid")),
            "AccessDeniedException",
        ),
    ] {
        assert_eq!(
            ask(bad).unwrap_err(),
            (ErrorKind::Authentication, code.to_owned())
        );
    }
}

fn weather() -> FunctionTool {
    let schema = r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#;
    FunctionTool::new(
        "get_weather",
        "Tells the weather in a city.",
        RawJson::parse(schema).unwrap(),
    )
}

#[test]
fn calls_come_in_parallel_and_thoughts_go_back_with_their_signatures() {
    for stream in [false, true] {
        let ask = |request: ChatRequest| {
            block_on(async {
                let bedrock = bedrock(keys());
                match stream {
                    true => bedrock.chat_stream(request).await?.collect().await,
                    false => ChatModel::chat(&bedrock, request)
                        .await
                        .map(|answer| answer.into_inner()),
                }
            })
        };
        let mut request = ChatRequest::new(CLAUDE)
            .user("What is the weather in both Paris and London?")
            .tool(weather())
            .reasoning(ReasoningConfig::max_tokens(1_024))
            .max_output_tokens(4_000);
        let first = ask(request.clone()).unwrap();
        assert_eq!(first.finish_reason, FinishReason::ToolCalls);
        let calls: Vec<_> = first.tool_calls().cloned().collect();
        assert_eq!(calls.len(), 2, "{first:?}");
        let signed =
            |part: &ContentPart| matches!(part, ContentPart::Reasoning(part) if part.signature.is_some());
        assert!(signed(&first.content[0]), "{first:?}");
        assert!(first.usage.unwrap().output_tokens > 0);
        let results = calls
            .iter()
            .map(|call| ContentPart::ToolResult(ToolResult::from_text(call.id.as_str(), "21 degrees")))
            .collect();
        request = request
            .message(first.to_message())
            .message(Message::new(Role::Tool, results));
        // The stand-in refuses thoughts that are missing or not its own.
        let second = ask(request.clone()).unwrap();
        assert!(second.text().contains("21 degrees"), "{second:?}");
        let forbidden = ask(request.clone().tool_choice(ToolChoice::None)).unwrap();
        assert_eq!(forbidden.finish_reason, FinishReason::Stop);
        request.input.edit().parallel_tool_calls = Some(false);
        request.input.edit().messages.truncate(1);
        assert_eq!(ask(request).unwrap().tool_calls().count(), 1);
    }
}

#[test]
fn pictures_and_documents_are_seen() {
    let media = |media_type: &str| Media::Base64 {
        media_type: media_type.into(),
        data: "aGVsbG8=".into(),
    };
    let file = |name: &str| {
        ContentPart::File(FilePart::new(
            media("application/pdf"),
            Some(name.into()),
            Default::default(),
        ))
    };
    let parts = vec![
        ContentPart::text("What are these?"),
        ContentPart::Image(ImagePart::new(media("image/jpg"), None, Default::default())),
        ContentPart::Image(ImagePart::new(
            Media::Url("s3://bucket/a.png".into()),
            None,
            Default::default(),
        )),
        file("Report_2025__final.pdf"),
        file("Report_2025__final.pdf"),
    ];
    let request = ChatRequest::new(CLAUDE).message(Message::new(Role::User, parts));
    let answer = block_on(ChatModel::chat(&bedrock(keys()), request)).unwrap();
    for seen in ["image/jpeg", "s3://bucket/a.png", "document/pdf"] {
        assert!(answer.text().contains(seen), "{}", answer.text());
    }
}

#[test]
fn a_repeated_beginning_comes_from_the_cache() {
    let mark = edge_ai_core::Extra::new(
        edge_ai_providers::openai::CHAT,
        vec![(
            "cache_control".into(),
            RawJson::parse(r#"{"type":"ephemeral","ttl":"1h"}"#).unwrap(),
        )],
    );
    let long = edge_ai_core::TextPart::new("A long document that nobody else sends.", mark);
    let ask = |question: &str| {
        let system = Message::new(Role::System, vec![ContentPart::Text(long.clone())]);
        let request = ChatRequest::new(CLAUDE).message(system).user(question);
        block_on(ChatModel::chat(&bedrock(keys()), request))
            .unwrap()
            .usage
            .unwrap()
    };
    let first = ask("One?");
    assert!(
        first.cache_write_tokens > 0 && first.cache_read_tokens == 0,
        "{first:?}"
    );
    let second = ask("Two?");
    assert_eq!(
        (second.cache_read_tokens, second.cache_write_tokens),
        (first.cache_write_tokens, 0)
    );
    assert!(second.input_tokens > second.cache_read_tokens);
}
