use edge_ai_core::{Capabilities, ModelInfo};

/// OpenAI's models to list, by its [model pages](https://developers.openai.com/api/docs/models) of November 2026, without those
/// that [shut down](https://developers.openai.com/api/docs/deprecations) before 2027.
pub(super) fn models() -> Vec<ModelInfo> {
    const GENERAL: Capabilities = Capabilities::CHAT
        .parallel_tools()
        .vision()
        .json_schema()
        .prompt_caching();
    const REASONING: Capabilities = GENERAL.reasoning();
    // They always think, and call tools while they think in the Responses API alone.
    const ALWAYS_REASONING: Capabilities = Capabilities::CHAT
        .vision()
        .json_schema()
        .reasoning()
        .prompt_caching();
    const MODELS: [(&str, Capabilities); 17] = [
        ("gpt-6-astra", ALWAYS_REASONING),
        ("gpt-6.1-sol", ALWAYS_REASONING),
        ("gpt-6.1-terra", REASONING),
        ("gpt-6-luna", REASONING),
        ("gpt-5.6-sol", REASONING),
        ("gpt-5.6-terra", REASONING),
        ("gpt-5.6-luna", REASONING),
        ("gpt-5.5", REASONING),
        ("gpt-5.4", REASONING),
        ("gpt-5.4-mini", REASONING),
        ("gpt-5.4-nano", REASONING),
        ("gpt-4.1", GENERAL),
        ("gpt-4.1-mini", GENERAL),
        ("gpt-4o", GENERAL),
        ("gpt-4o-mini", GENERAL),
        ("text-embedding-3-small", Capabilities::EMBEDDINGS),
        ("text-embedding-3-large", Capabilities::EMBEDDINGS),
    ];
    MODELS
        .into_iter()
        .map(|(id, capabilities)| ModelInfo::new(id, capabilities))
        .collect()
}

/// Whether a name without a provider is one of OpenAI's own.
pub(super) fn is_openais(model: &str) -> bool {
    const FAMILIES: [&str; 5] = [
        "gpt-",
        "chatgpt-",
        "text-embedding-3-",
        "text-embedding-ada-",
        "ft:gpt-",
    ];
    // o1, o3-mini, o4-mini.
    let numbered = model.strip_prefix('o').is_some_and(|rest| {
        let version = rest.split('-').next().unwrap_or_default();
        !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())
    });
    // Open weights, which others serve.
    let open = model.starts_with("gpt-oss");
    !open && !model.contains('/') && (numbered || FAMILIES.iter().any(|family| model.starts_with(family)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised() {
        for model in [
            "gpt-5",
            "o3",
            "o4-mini",
            "chatgpt-4o-latest",
            "text-embedding-3-small",
            "ft:gpt-4o:acme::x",
        ] {
            assert!(is_openais(model), "{model}");
        }
        for model in [
            "claude-opus-4",
            "openchat",
            "o",
            "o-mini",
            "gpt-oss-20b",
            "openai/gpt-5",
            "@cf/openai/gpt-oss-120b",
        ] {
            assert!(!is_openais(model), "{model}");
        }
        assert!(models().iter().all(|model| is_openais(&model.id)));
    }
}
