use edge_ai_core::{
    ChatRequest, ContentPart, ErrorKind, FunctionTool, Message, Provider, ReasoningPart, Role, Secret,
    ToolCall,
};
use edge_ai_core::{EmbeddingRequest, ToolResult};
use edge_ai_providers::OpenAi;
use edge_ai_providers::compatible::{
    CEREBRAS, COHERE, DEEPSEEK, GENERIC, GROQ, MISTRAL, OPENROUTER, PERPLEXITY, XAI,
};
use edge_ai_providers::openai::decode_chat_request;
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use serde_json::{Value, json};

use crate::exchange::{answer, azure, chat_model, fixture, sent, sent_for, stream};

#[test]
fn deepseek_gets_the_thoughts_of_turns_with_calls_and_no_others() {
    // As a client sends it, and as an agent does.
    let native = fixture!("deepseek.request.json");
    let mut edited = decode_chat_request(&native).unwrap().request;
    edited.input.edit();
    for sent in [sent_for(&DEEPSEEK, &native), sent(&DEEPSEEK, edited)] {
        let messages = sent["messages"].as_array().unwrap();
        assert_eq!(messages[1], json!({"role": "assistant", "content": "9.8"}));
        assert_eq!(messages[3]["reasoning_content"], "The forecast is needed.");
        // Required even where there is none, as in a turn of another vendor's.
        assert_eq!(messages[5]["reasoning_content"], "");
        assert_eq!(sent["thinking"], json!({"type": "enabled"}));
        assert_eq!(sent["tools"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn a_thought_goes_from_an_answer_back_to_deepseek() {
    let output = answer(&DEEPSEEK, 200, fixture!("deepseek.response.json")).unwrap();
    let id = output.tool_calls().next().unwrap().id.clone();
    let request = ChatRequest::new("deepseek-v4-pro")
        .user("The weather?")
        .message(Message::new(Role::Assistant, output.content))
        .message(Message::new(
            Role::Tool,
            vec![ContentPart::ToolResult(ToolResult::from_text(id, "rain"))],
        ));
    let sent = sent(&DEEPSEEK, request);
    assert_eq!(
        sent["messages"][1]["reasoning_content"],
        "The forecast is needed."
    );
}

#[test]
fn mistral_gets_only_what_it_knows() {
    let sent = sent_for(&MISTRAL, &fixture!("mistral.request.json"));
    let fields: Vec<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "model",
        "prompt_cache_key",
        "safe_prompt",
        "messages",
        "tools",
        "max_tokens",
        "random_seed",
    ];
    expected.sort_unstable();
    let mut fields = fields.clone();
    fields.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!(
        (&sent["random_seed"], &sent["max_tokens"]),
        (&json!(7), &json!(64))
    );

    let messages = sent["messages"].as_array().unwrap();
    assert_eq!(messages[0], json!({"role": "system", "content": "Be brief."}));
    assert_eq!(messages[1], json!({"role": "user", "content": "The weather?"}));
    let mut fields: Vec<_> = messages[2].as_object().unwrap().keys().cloned().collect();
    fields.sort_unstable();
    assert_eq!(fields, ["content", "role", "tool_calls"]);
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let foreign = id(&messages[2]["tool_calls"][0]["id"]);
    assert!(foreign.len() == 9 && foreign.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(id(&messages[3]["tool_call_id"]), foreign);
    assert_eq!(id(&messages[2]["tool_calls"][1]["id"]), "D681PevKs");
    assert_eq!(id(&messages[4]["tool_call_id"]), "D681PevKs");
    assert_eq!(messages[5]["prefix"], true);
}

#[test]
fn what_no_rule_touches_keeps_its_bytes() {
    let body = br#"{ "model":"m",  "messages":[ {"role":"user","content":"Hi", "cache_control":{"type":"ephemeral"}} ], "temperature":1.0 }"#;
    let body = bytes::Bytes::from_static(body);
    for vendor in [&DEEPSEEK, &XAI, &OPENROUTER] {
        let http = ScriptedHttpClient::new().respond(ScriptedResponse::new(500));
        let request = decode_chat_request(&body).unwrap().request;
        block_on(chat_model(vendor, &http).chat(request)).unwrap_err();
        assert_eq!(http.requests()[0].body(), &body, "{}", vendor.name);
    }
}

#[test]
fn hints_that_a_vendor_refuses_are_left_out() {
    let request = || {
        let mut request = ChatRequest::new("m")
            .user("Hello!")
            .tool(FunctionTool::named("f"));
        request.input.edit().seed = Some(7);
        request.input.edit().presence_penalty = Some(0.5);
        request.input.edit().frequency_penalty = Some(0.5);
        request.input.edit().parallel_tool_calls = Some(true);
        request.input.edit().top_k = Some(40);
        request
    };
    let native = bytes::Bytes::from_static(
        br#"{"model":"m","messages":[{"role":"user","name":"ann","content":"Hello!"}],"seed":7,"presence_penalty":0.5,
            "frequency_penalty":0.5,"parallel_tool_calls":true,"tools":[{"type":"function","function":{"name":"f"}}]}"#,
    );
    for (vendor, refused) in [
        (
            &CEREBRAS,
            &[
                "presence_penalty",
                "frequency_penalty",
                "parallel_tool_calls",
                "top_k",
            ][..],
        ),
        (&COHERE, &["parallel_tool_calls", "top_k"]),
        (&GROQ, &["top_k"]),
    ] {
        for sent in [sent(vendor, request()), sent_for(vendor, &native)] {
            for field in refused {
                assert_eq!(sent.get(field), None, "{} {field}", vendor.name);
            }
            for field in [
                "seed",
                "presence_penalty",
                "frequency_penalty",
                "parallel_tool_calls",
            ] {
                let there = sent.get(field).is_some();
                assert_eq!(there, !refused.contains(&field), "{} {field}", vendor.name);
            }
        }
    }
    assert_eq!(
        sent_for(&GROQ, &native)["messages"][0],
        json!({"role": "user", "content": "Hello!"})
    );
    assert_eq!(sent_for(&XAI, &native)["messages"][0]["name"], "ann");
}

#[test]
fn strict_vendors_get_thoughts_in_their_own_field() {
    let body = bytes::Bytes::from_static(
        br#"{"model":"m","store":true,"messages":[{"role":"user","content":"Hi"},
            {"role":"assistant","content":"Ho","refusal":null,"annotations":[{}],"reasoning_content":"hm"},{"role":"user","content":"?"}]}"#,
    );
    for vendor in [&GROQ, &CEREBRAS] {
        let sent = sent_for(vendor, &body);
        assert_eq!(
            sent["messages"][1],
            json!({"role": "assistant", "content": "Ho", "reasoning": "hm"}),
            "{}",
            vendor.name
        );
        assert_eq!(sent.get("store"), None);
    }
    assert_eq!(sent_for(&OPENROUTER, &body)["messages"][1]["reasoning"], "hm");
    assert_eq!(sent_for(&XAI, &body)["messages"][1]["reasoning_content"], "hm");
}

#[test]
fn signed_thoughts_go_from_a_stream_back_to_openrouter() {
    let output = stream(&OPENROUTER, fixture!("openrouter.signed.sse")).unwrap();
    let request = ChatRequest::new("anthropic/claude-sonnet-5-5")
        .user("The weather?")
        .message(Message::new(Role::Assistant, output.content));
    let http = ScriptedHttpClient::new().respond(ScriptedResponse::new(500));
    block_on(chat_model(&OPENROUTER, &http).chat(request)).unwrap_err();
    let sent = http.requests()[0].body().clone();
    let text = std::str::from_utf8(&sent).unwrap();
    assert_eq!(text.matches("reasoning_details").count(), 1);
    assert_eq!(
        http.last_json()["messages"][1]["reasoning_details"],
        json!([{"type": "reasoning.text", "text": "The forecast is needed.", "signature": "c2lnbmVk",
            "format": "anthropic-claude-v1", "index": 0}])
    );
}

#[test]
fn a_signature_goes_from_a_stream_back_to_a_server_in_front_of_gemini() {
    let output = stream(&GENERIC, fixture!("gemini.stream.sse")).unwrap();
    let request = ChatRequest::new("gemini-3.8-flash")
        .user("The weather?")
        .message(Message::new(Role::Assistant, output.content));
    let sent = sent(&GENERIC, request);
    let calls = &sent["messages"][1]["tool_calls"];
    assert_eq!(
        calls[0]["extra_content"]["google"]["thought_signature"],
        "EjQKMgEMOdbH"
    );
    assert_eq!(calls[1].get("extra_content"), None);
}

#[test]
fn perplexity_refuses_tools_before_it_is_asked() {
    let http = ScriptedHttpClient::new();
    let chat = chat_model(&PERPLEXITY, &http);
    let request = ChatRequest::new("sonar")
        .user("Hello!")
        .tool(FunctionTool::named("f"));
    let error = block_on(chat.chat(request)).unwrap_err();
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::Unsupported, Some("tools"))
    );
    assert!(http.requests().is_empty());
}

#[test]
fn thoughts_of_another_vendor_go_to_none() {
    let turn = || {
        let thought = ContentPart::Reasoning(ReasoningPart::new("hm", Some("sig".into())));
        let call = ContentPart::ToolCall(ToolCall::new("toolu_1", "f", "{}"));
        ChatRequest::new("m")
            .user("Hello!")
            .message(Message::new(Role::Assistant, vec![thought, call]))
    };
    for vendor in [&GROQ, &MISTRAL, &XAI, &OPENROUTER] {
        let message = sent(vendor, turn())["messages"][1].clone();
        for field in ["reasoning_content", "reasoning", "thinking_blocks"] {
            assert_eq!(message.get(field), None, "{}", vendor.name);
        }
    }
}

#[test]
fn azure_has_one_address_or_one_for_each_deployment() {
    let sent_to = |more: &[(&str, &str)]| {
        let http = ScriptedHttpClient::new().respond(ScriptedResponse::new(500));
        let chat = azure(&http, more).chat_model().unwrap();
        block_on(chat.chat(ChatRequest::new("my-gpt").user("Hello!"))).unwrap_err();
        let request = &http.requests()[0];
        assert_eq!(request.headers()["api-key"], "sk-secret");
        assert!(!request.headers().contains_key("authorization"));
        assert_eq!(http.last_json()["model"], "my-gpt");
        request.uri().to_string()
    };
    assert_eq!(
        sent_to(&[]),
        "https://contoso.openai.azure.com/openai/v1/chat/completions"
    );
    let version = ("AZURE_OPENAI_API_VERSION", "2024-10-21");
    assert_eq!(
        sent_to(&[version]),
        "https://contoso.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    );
    let base_url = ("AZURE_OPENAI_BASE_URL", "https://apim.example.com/openai/");
    assert_eq!(
        sent_to(&[version, base_url]),
        "https://apim.example.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    );

    let http = ScriptedHttpClient::new();
    let chat = azure(&http, &[version]).chat_model().unwrap();
    let request = ChatRequest::new("../x?y").user("Hello!");
    let error = block_on(chat.chat(request)).unwrap_err();
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::InvalidRequest, Some("model"))
    );
    assert!(http.requests().is_empty());
}

#[test]
fn coheres_texts_are_embedded_in_its_portions() {
    let http = ScriptedHttpClient::from_fn(|request| {
        let sent: Value = serde_json::from_slice(request.body()).unwrap();
        let count = sent["input"].as_array().unwrap().len();
        assert!(count <= 96);
        let data: Vec<_> = (0..count)
            .map(|index| json!({"index": index, "embedding": [1.0]}))
            .collect();
        Ok(ScriptedResponse::json(200, &json!({"data": data, "model": "m"})))
    });
    let cohere = OpenAi::vendor(&COHERE, std::sync::Arc::new(http.clone()), Secret::new("k")).unwrap();
    let texts: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    let model = cohere.embedding_model().unwrap();
    let answer = block_on(model.embed(EmbeddingRequest::new("embed-v4.0", texts))).unwrap();
    assert_eq!((answer.embeddings.len(), http.requests().len()), (200, 3));
}
