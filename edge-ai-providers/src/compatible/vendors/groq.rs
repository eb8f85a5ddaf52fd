use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, MaxTokensField, MediaServices, ReasoningField, SendReasoning};

/// [Groq](https://console.groq.com/docs/openai): open models on its own chips.
///
/// It answers with 400 to `messages[].name` and fields of messages that it does not know, which are left out; `reasoning_content` among
/// them, which goes out as `reasoning`. Also to `logprobs`, `logit_bias`, `top_logprobs` and `n` above 1, which go out all the same: an
/// answer without them would be another one. A stream has its usage in the last chunk's
/// [`x_groq`](https://console.groq.com/docs/api-reference#chat-create), and an error that ended it as well. The
/// [models](https://console.groq.com/docs/models) are those for production.
pub const GROQ: Vendor = Vendor {
    compatibility: Compatibility {
        max_tokens: MaxTokensField::MaxCompletionTokens,
        send_reasoning: SendReasoning::InOwnField,
        reasoning_field: ReasoningField::Reasoning,
        top_k: false,
        message_names: false,
        message_fields: Some(&[]),
        refused_hints: &[
            "store",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "verbosity",
        ],
        ..Compatibility::COMPATIBLE
    },
    media: MediaServices {
        speech: true,
        transcriptions: true,
        ..MediaServices::NONE
    },
    capabilities: Capabilities::CHAT
        .parallel_tools()
        .vision()
        .json_schema()
        .reasoning()
        .prompt_caching(),
    models: &[
        Model::new("openai/gpt-oss-120b", GPT_OSS),
        Model::new("openai/gpt-oss-20b", GPT_OSS),
        Model::new("llama-3.3-70b-versatile", LLAMA),
        Model::new("llama-3.1-8b-instant", LLAMA),
    ],
    docs: "https://console.groq.com/docs/openai",
    ..Vendor::new(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        "GROQ_BASE_URL",
    )
};

// https://console.groq.com/docs/tool-use/overview: not in parallel; https://console.groq.com/docs/prompt-caching.
const GPT_OSS: Capabilities = Capabilities::CHAT
    .tools()
    .json_schema()
    .reasoning()
    .prompt_caching();

const LLAMA: Capabilities = Capabilities::CHAT.parallel_tools();
