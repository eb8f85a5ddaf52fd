use edge_ai_core::Capabilities;

use crate::compatible::{Model, Vendor};
use crate::openai::{Compatibility, MediaServices, SendReasoning, ToolCallIds};

/// [Mistral](https://docs.mistral.ai/api/#tag/chat).
///
/// It answers with 422 (`extra_forbidden`) to every field that it does not know. OpenAI's hints are left out, `seed` is `random_seed`, of a
/// message's fields `prefix` goes out and thoughts do not. A tool call's id must be
/// [nine letters and digits](https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py): that of
/// another vendor is replaced. The usage comes with the last chunk of every stream.
pub const MISTRAL: Vendor = Vendor {
    compatibility: Compatibility {
        send_reasoning: SendReasoning::Never,
        top_k: false,
        stream_options: false,
        message_names: false,
        message_fields: Some(&["prefix"]),
        tool_call_ids: ToolCallIds::NineAlphanumerics,
        refused_hints: &[
            "user",
            "store",
            "service_tier",
            "safety_identifier",
            "prompt_cache_retention",
            "verbosity",
        ],
        renamed: &[("seed", "random_seed")],
        ..Compatibility::COMPATIBLE
    },
    media: MediaServices {
        transcriptions: true,
        moderations: true,
        ..MediaServices::NONE
    },
    capabilities: GENERAL.reasoning().embeddings(),
    models: &[
        Model::new("mistral-large-latest", GENERAL),
        Model::new("mistral-medium-latest", GENERAL.reasoning()),
        Model::new("mistral-small-latest", GENERAL),
        Model::new(
            "codestral-latest",
            Capabilities::CHAT.parallel_tools().json_schema(),
        ),
        Model::new("mistral-embed", Capabilities::EMBEDDINGS),
    ],
    docs: "https://docs.mistral.ai/api/#tag/chat",
    ..Vendor::new(
        "mistral",
        "Mistral",
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        "MISTRAL_BASE_URL",
    )
};

// `prompt_cache_key` in the API reference.
const GENERAL: Capabilities = Capabilities::CHAT
    .parallel_tools()
    .vision()
    .json_schema()
    .prompt_caching();
