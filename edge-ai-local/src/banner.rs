//! What the program says about itself.

use std::fmt::Write as _;

use crate::app::App;

/// The text shown at the start and at `GET /`: what this is, what its answers are, and where to reach it.
pub(crate) fn banner(app: &App) -> String {
    let (config, url, embeddings) = (&app.config, &app.base, app.embedder.described());
    let mut text = format!(
        "edge-ai-local {version}: a STAND-IN on this machine, not the services themselves. No account, no network.
  answers     quoted from the conversation by word overlap; tool calls and structured output are filled in
              from the text by schema; the same request gets the same answer
  embeddings  {embeddings}

  OpenAI      {url}/openai/v1        any key; `invalid…` is refused
  Anthropic   {url}/anthropic        any key; `invalid…` is refused
  Gemini      {url}/gemini           any key; `invalid…` is refused; Vertex AI at {url}/vertex
  Bedrock     {url}/bedrock          AWS's example keys, or any API key
  rerankers   {url}/cohere, /jina, /voyage
  Workers AI  {url}/workers-ai       also Host: workers-binding.ai, and miniflare's MF-URL
  Vectorize   {url}/vectorize/INDEX  also Host: vector-search, and miniflare's MF-URL
  control     {url}/_local/requests  also /_local/faults, /_local/vectorize/INDEX, /_local/health

  faults      header `x-edge-ai-fault: status=429, retry-after=2`, or `[[fault: cut=3]]` in the last user message
",
        version = env!("CARGO_PKG_VERSION"),
    );
    let ms = config.visible_after.as_millis();
    let _ = writeln!(text, "  vectorize   writes can be read back after {ms} ms");
    for index in &config.indexes {
        let (name, dimensions, metric) = (&index.name, index.dimensions, index.metric.as_str());
        let _ = writeln!(
            text,
            "              index {name}: {dimensions} dimensions, {metric}"
        );
    }
    text.push_str("              an index not declared is made by its first write, with that vector's length and cosine\n");
    if let Some(rate) = config.tokens_per_second {
        let _ = writeln!(text, "  streams     {rate} tokens a second");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::embedder::Embedder;

    #[test]
    fn it_says_that_it_is_a_stand_in() {
        let app = App::new(Config::default(), "http://127.0.0.1:1".into(), Embedder::Hashed);
        let text = banner(&app);
        for part in [
            "STAND-IN",
            "not meaning",
            "http://127.0.0.1:1/openai/v1",
            "150 ms",
            "first write",
        ] {
            assert!(text.contains(part), "{part}");
        }
    }
}
