//! Where the vectors of the embedding surfaces come from: hashed features, or a model from its files.

#[cfg(feature = "embeddings")]
use std::sync::Arc;

use crate::config::Config;
use crate::generate::embedding;
#[cfg(feature = "embeddings")]
use crate::sentence::SentenceModel;

/// Turns texts into unit vectors.
#[derive(Debug, Clone, Default)]
pub(crate) enum Embedder {
    /// By spelling, in any length.
    #[default]
    Hashed,
    /// By meaning, in the model's own length.
    #[cfg(feature = "embeddings")]
    Model(Arc<SentenceModel>),
}

impl Embedder {
    /// The embedder of a configuration.
    ///
    /// # Errors
    /// A model that does not load, or that this build cannot load.
    pub(crate) fn of(config: &Config) -> Result<Self, String> {
        let Some(directory) = &config.embedding_model else {
            return Ok(Self::Hashed);
        };
        #[cfg(feature = "embeddings")]
        {
            let model =
                SentenceModel::load(directory).map_err(|error| format!("--embedding-model: {error}"))?;
            Ok(Self::Model(Arc::new(model)))
        }
        #[cfg(not(feature = "embeddings"))]
        Err(format!(
            "--embedding-model {}: this program was built without models; build it with `--features embeddings`",
            directory.display()
        ))
    }

    /// The length that vectors are always of; `None` where any length can be had.
    pub(crate) fn dimensions(&self) -> Option<usize> {
        match self {
            Self::Hashed => None,
            #[cfg(feature = "embeddings")]
            Self::Model(model) => Some(model.dimensions()),
        }
    }

    /// A vector for each text: `dimensions` long where that can be chosen. Vectors of different `space`s (model, pooling) cannot be
    /// compared, unless a model makes them: it has one space.
    ///
    /// # Errors
    /// What the model says.
    pub(crate) fn embed<T: AsRef<str>>(
        &self,
        texts: &[T],
        space: &str,
        dimensions: usize,
    ) -> Result<Vec<Vec<f32>>, String> {
        match self {
            Self::Hashed => Ok(texts
                .iter()
                .map(|text| embedding::embed(text.as_ref(), space, dimensions))
                .collect()),
            #[cfg(feature = "embeddings")]
            Self::Model(model) => off_the_runtime(|| model.embed(texts)),
        }
    }

    /// What the banner says of it.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Hashed => "hashed words and character trigrams: spelling, not meaning".to_owned(),
            #[cfg(feature = "embeddings")]
            Self::Model(model) => format!(
                "{}: {} dimensions, {} tokens of a text, for every embedding model of Workers AI and OpenAI;\n              \
                 Gemini and Bedrock: hashed words, spelling",
                model.name(),
                model.dimensions(),
                model.max_tokens()
            ),
        }
    }
}

/// Lets other requests go on while the model computes, where there are threads for them.
#[cfg(feature = "embeddings")]
fn off_the_runtime<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
