//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::config::{Config, IndexConfig};

/// Local stand-in for Cloudflare Workers AI, Vectorize, and the OpenAI and Anthropic APIs.
#[derive(Debug, Clone, Parser)]
#[command(name = "edge-ai-local", version)]
#[non_exhaustive]
pub struct Args {
    /// Port on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 9900)]
    pub port: u16,

    /// Vectorize index, as NAME:DIMENSIONS:METRIC or NAME:DIMENSIONS:METRIC:PROPERTY=TYPE,...; may be repeated.
    ///
    /// An index that is not declared is made by its first write, with its vectors' dimensions and cosine.
    #[arg(long = "index", value_name = "NAME:DIMENSIONS:METRIC")]
    pub indexes: Vec<IndexConfig>,

    /// Milliseconds until a Vectorize write can be read back.
    #[arg(long, value_name = "MS", default_value_t = 150)]
    pub visible_after: u64,

    /// Pace of streamed answers; without it they come as fast as they are read.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub tokens_per_second: Option<f64>,

    /// Directory of a sentence encoder (config.json, tokenizer.json, model.safetensors), such as all-MiniLM-L6-v2, for embeddings by meaning.
    ///
    /// Every embedding model of Workers AI and OpenAI then answers with its vectors, in its length. Needs a build with the feature
    /// `embeddings`.
    #[arg(long, value_name = "DIR")]
    pub embedding_model: Option<PathBuf>,

    /// Stop when standard input ends, so that the program never outlives the one that started it.
    #[arg(long)]
    pub stop_on_stdin_eof: bool,
}

impl Args {
    /// The server's configuration.
    #[must_use]
    pub fn config(&self) -> Config {
        Config {
            port: self.port,
            indexes: self.indexes.clone(),
            visible_after: Duration::from_millis(self.visible_after),
            tokens_per_second: self.tokens_per_second,
            embedding_model: self.embedding_model.clone(),
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.parse().ok();
    rate.filter(|rate| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| format!("`{text}` is not a positive number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_a_configuration() {
        let args = Args::try_parse_from([
            "edge-ai-local",
            "--port",
            "0",
            "--index",
            "docs:384:cosine",
            "--visible-after",
            "0",
            "--tokens-per-second",
            "50",
        ])
        .unwrap();
        let config = args.config();
        assert_eq!(
            (
                config.port,
                config.indexes.len(),
                config.visible_after.as_millis()
            ),
            (0, 1, 0)
        );
        assert_eq!(config.tokens_per_second, Some(50.0));
        assert!(Args::try_parse_from(["edge-ai-local", "--tokens-per-second", "0"]).is_err());
        assert!(Args::try_parse_from(["edge-ai-local", "--index", "docs"]).is_err());
    }
}
