use edge_ai_core::{Capabilities, ModelInfo};

/// Models to list, by the [model cards](https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html) of November 2026: those with
/// a global inference profile by its name, which every commercial region has. Others are served all the same.
pub(super) fn models() -> Vec<ModelInfo> {
    const CLAUDE: Capabilities = Capabilities::CHAT
        .parallel_tools()
        .vision()
        .json_schema()
        .reasoning()
        .prompt_caching();
    const NOVA: Capabilities = Capabilities::CHAT.parallel_tools().vision().prompt_caching();
    const MODELS: [(&str, Capabilities); 17] = [
        ("global.anthropic.claude-sonnet-5-5", CLAUDE),
        ("global.anthropic.claude-sonnet-5", CLAUDE),
        ("global.anthropic.claude-opus-4-5-20251101-v1:0", CLAUDE),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", CLAUDE),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", CLAUDE),
        ("global.amazon.nova-2-lite-v1:0", NOVA.reasoning()),
        ("amazon.nova-pro-v1:0", NOVA),
        ("amazon.nova-lite-v1:0", NOVA),
        (
            "amazon.nova-micro-v1:0",
            Capabilities::CHAT.parallel_tools().prompt_caching(),
        ),
        (
            "openai.gpt-oss-120b-1:0",
            Capabilities::CHAT.tools().json_schema().reasoning(),
        ),
        ("meta.llama3-3-70b-instruct-v1:0", Capabilities::CHAT.tools()),
        ("amazon.titan-embed-text-v2:0", Capabilities::EMBEDDINGS),
        ("cohere.embed-v4:0", Capabilities::EMBEDDINGS),
        ("cohere.embed-english-v3", Capabilities::EMBEDDINGS),
        ("cohere.embed-multilingual-v3", Capabilities::EMBEDDINGS),
        ("cohere.rerank-v3-5:0", Capabilities::RERANK),
        ("amazon.rerank-v1:0", Capabilities::RERANK),
    ];
    MODELS
        .into_iter()
        .map(|(id, capabilities)| ModelInfo::new(id, capabilities))
        .collect()
}
