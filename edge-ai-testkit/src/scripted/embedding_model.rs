use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use edge_ai_core::{
    EmbeddingModel, EmbeddingOutput, EmbeddingRequest, EmbeddingResponse, EmbeddingText, Error, Result,
    Usage, async_trait,
};

/// An embedding model whose vectors are made from the words of a text: the same text gives the same vector, and texts that share words
/// lie nearer together. It remembers the requests.
///
/// ```
/// use edge_ai_core::{EmbeddingModel, EmbeddingRequest};
/// use edge_ai_testkit::scripted::ScriptedEmbeddingModel;
///
/// # futures_executor::block_on(async {
/// let model = ScriptedEmbeddingModel::new(64);
/// let answer = model.embed(EmbeddingRequest::new("m", ["edge", "edge"])).await?;
/// assert_eq!(answer.embeddings[0], answer.embeddings[1]);
/// # Ok::<(), edge_ai_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct ScriptedEmbeddingModel {
    dimensions: usize,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    failures: Vec<Error>,
    requests: Vec<EmbeddingRequest>,
}

impl ScriptedEmbeddingModel {
    /// A model of vectors of this length, of one for zero.
    pub fn new(dimensions: usize) -> Self {
        Self {
            dimensions: dimensions.max(1),
            script: Arc::default(),
        }
    }

    /// Fails the next request; several failures come in the order in which they were added.
    #[must_use]
    pub fn fail(self, error: Error) -> Self {
        self.with(|script| script.failures.push(error));
        self
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<EmbeddingRequest> {
        self.with(|script| script.requests.clone())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Script) -> T) -> T {
        f(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl EmbeddingModel for ScriptedEmbeddingModel {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        let failure = self.with(|script| {
            script.requests.push(request.clone());
            (!script.failures.is_empty()).then(|| script.failures.remove(0))
        });
        if let Some(error) = failure {
            return Err(error);
        }
        if request.texts.is_empty() {
            return Err(Error::invalid("input", "there is nothing to embed"));
        }
        let dimensions = request.dimensions.map_or(self.dimensions, |wished| {
            (wished as usize).clamp(1, self.dimensions)
        });
        let mut words = 0;
        let mut embeddings = Vec::with_capacity(request.texts.len());
        for (index, text) in request.texts.iter().enumerate() {
            let features = features(text);
            if features.is_empty() {
                return Err(Error::invalid(format!("input[{index}]"), "an input is empty"));
            }
            words += features.len() as u64;
            embeddings.push(vector(&features, dimensions));
        }
        let mut output = EmbeddingOutput::new(request.model, embeddings);
        output.usage = Some(Usage::new(words, 0));
        Ok(output.into())
    }
}

fn features(text: &EmbeddingText) -> Vec<u64> {
    match text {
        EmbeddingText::Text(text) => text
            .split_whitespace()
            .map(|word| hash(word.as_bytes()))
            .collect(),
        EmbeddingText::Tokens(tokens) => tokens.iter().map(|token| hash(&token.to_le_bytes())).collect(),
        // A kind of input that this double does not know has no words.
        _ => Vec::new(),
    }
}

/// The normalized sum of one pseudo-random direction for each feature.
fn vector(features: &[u64], dimensions: usize) -> Vec<f32> {
    let mut sum = vec![0_f32; dimensions];
    for feature in features {
        let mut state = *feature;
        for value in &mut sum {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *value += (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0;
        }
    }
    let norm = sum
        .iter()
        .map(|value| value * value)
        .sum::<f32>()
        .sqrt()
        .max(f32::MIN_POSITIVE);
    sum.iter_mut().for_each(|value| *value /= norm);
    sum
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl fmt::Debug for ScriptedEmbeddingModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedEmbeddingModel")
            .field("dimensions", &self.dimensions)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::embedding_model::{EmbeddingModelSubject, cases};
    use futures_executor::block_on;

    #[test]
    fn keeps_the_contract() {
        let subject = || EmbeddingModelSubject::new(ScriptedEmbeddingModel::new(48), "m").with_dimensions(48);
        block_on(crate::run(cases(), subject)).assert_passed_but(&["an_unknown_model_is_not_found"]);
    }
}
