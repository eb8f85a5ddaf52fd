//! A sentence encoder of the BERT family, such as all-MiniLM-L6-v2, from its files.

use std::fmt;
use std::path::Path;

use candle_core::{D, DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde::Deserialize;
use serde_json::Value;
use tokenizers::{PaddingParams, PaddingStrategy, Tokenizer, TruncationParams};

/// Texts that go through the model at once: more do not go faster on two cores.
const BATCH: usize = 32;

/// The most tokens read of a text where the model's files do not say it.
const MAX_TOKENS: usize = 256;

/// A sentence encoder: mean or first-token pooling, then unit length.
///
/// It reads what Sentence Transformers writes: `config.json`, `tokenizer.json` and `model.safetensors`, and where they are there
/// `sentence_bert_config.json` (the most tokens of a text) and `1_Pooling/config.json`
/// (<https://sbert.net/docs/sentence_transformer/usage/custom_models.html>).
pub struct SentenceModel {
    model: BertModel,
    tokenizer: Tokenizer,
    pooling: Pooling,
    dimensions: usize,
    max_tokens: usize,
    name: String,
}

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pooling {
    Mean,
    FirstToken,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolingConfig {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
}

impl SentenceModel {
    /// Loads a model from the directory with its files.
    ///
    /// # Errors
    /// A file that is missing or does not read, by its name, and a pooling other than mean and first token.
    pub fn load(directory: &Path) -> Result<Self, String> {
        let config: Config = read(directory, "config.json")?;
        let pooling = pooling(directory)?;
        let limits: Option<Value> = read_if_there(directory, "sentence_bert_config.json")?;
        let max_tokens = limits
            .and_then(|limits| limits.get("max_seq_length")?.as_u64())
            .map_or(MAX_TOKENS, |tokens| tokens as usize)
            .clamp(2, config.max_position_embeddings.max(2));
        let file = directory.join("tokenizer.json");
        let tokenizer =
            Tokenizer::from_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let tokenizer = prepared(tokenizer, max_tokens, &config)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let file = directory.join("model.safetensors");
        let weights = candle_core::safetensors::load(&file, &Device::Cpu)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let weights = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
        let model =
            BertModel::load(weights, &config).map_err(|error| format!("{}: {error}", file.display()))?;
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self {
            model,
            tokenizer,
            pooling,
            dimensions: config.hidden_size,
            max_tokens,
            name: name.into_owned(),
        })
    }

    /// The length of its vectors.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How much of a text it reads, in its own tokens; what is beyond does not count.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The name of its directory.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A unit vector for each text, in their order.
    ///
    /// # Errors
    /// What the tokenizer or the model says.
    pub fn embed<T: AsRef<str>>(&self, texts: &[T]) -> Result<Vec<Vec<f32>>, String> {
        // Texts of about one length go together: a batch is as slow as its longest.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|at| texts.get(*at).map_or(0, |text| text.as_ref().len()));
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in order.chunks(BATCH) {
            let batch_texts: Vec<&str> = batch
                .iter()
                .filter_map(|at| texts.get(*at))
                .map(AsRef::as_ref)
                .collect();
            for (at, vector) in batch.iter().zip(self.batch(&batch_texts)?) {
                if let Some(slot) = vectors.get_mut(*at) {
                    *slot = vector;
                }
            }
        }
        Ok(vectors)
    }

    fn batch(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        let encoded = self.tokenizer.encode_batch(texts.to_vec(), true);
        let encoded = encoded.map_err(|error| error.to_string())?;
        let rows = |of: fn(&tokenizers::Encoding) -> &[u32]| -> candle_core::Result<Tensor> {
            let rows: Vec<_> = encoded.iter().map(|encoding| of(encoding).to_vec()).collect();
            Tensor::new(rows, &Device::Cpu)
        };
        let work = || -> candle_core::Result<Vec<Vec<f32>>> {
            let ids = rows(tokenizers::Encoding::get_ids)?;
            let types = rows(tokenizers::Encoding::get_type_ids)?;
            let mask = rows(tokenizers::Encoding::get_attention_mask)?;
            let hidden = self.model.forward(&ids, &types, Some(&mask))?;
            let pooled = match self.pooling {
                Pooling::FirstToken => hidden.narrow(1, 0, 1)?.squeeze(1)?,
                Pooling::Mean => {
                    let mask = mask.to_dtype(DType::F32)?.unsqueeze(D::Minus1)?;
                    hidden
                        .broadcast_mul(&mask)?
                        .sum(1)?
                        .broadcast_div(&mask.sum(1)?)?
                }
            };
            let length = pooled.sqr()?.sum_keepdim(1)?.sqrt()?;
            pooled.broadcast_div(&length)?.to_vec2()
        };
        work().map_err(|error| error.to_string())
    }
}

impl fmt::Debug for SentenceModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentenceModel")
            .field("name", &self.name)
            .field("dimensions", &self.dimensions)
            .field("max_tokens", &self.max_tokens)
            .field("pooling", &self.pooling)
            .finish_non_exhaustive()
    }
}

fn prepared(mut tokenizer: Tokenizer, max_tokens: usize, config: &Config) -> tokenizers::Result<Tokenizer> {
    tokenizer.with_truncation(Some(TruncationParams {
        max_length: max_tokens,
        ..TruncationParams::default()
    }))?;
    let pad = u32::try_from(config.pad_token_id)?;
    let pad_token = tokenizer.id_to_token(pad).unwrap_or_default();
    tokenizer.with_padding(Some(PaddingParams {
        strategy: PaddingStrategy::BatchLongest,
        pad_id: pad,
        pad_token,
        ..PaddingParams::default()
    }));
    Ok(tokenizer)
}

fn pooling(directory: &Path) -> Result<Pooling, String> {
    let Some(config): Option<PoolingConfig> = read_if_there(directory, "1_Pooling/config.json")? else {
        return Ok(Pooling::Mean);
    };
    match (config.pooling_mode_mean_tokens, config.pooling_mode_cls_token) {
        (true, false) => Ok(Pooling::Mean),
        (false, true) => Ok(Pooling::FirstToken),
        _ => Err(format!(
            "{}: only mean and first-token (cls) pooling are known, one of them alone",
            directory.join("1_Pooling/config.json").display()
        )),
    }
}

fn read<T: for<'de> Deserialize<'de>>(directory: &Path, name: &str) -> Result<T, String> {
    read_if_there(directory, name)?.ok_or_else(|| {
        format!(
            "{} is missing: is this the directory of a model?",
            directory.join(name).display()
        )
    })
}

fn read_if_there<T: for<'de> Deserialize<'de>>(directory: &Path, name: &str) -> Result<Option<T>, String> {
    let file = directory.join(name);
    let told = |error: &dyn fmt::Display| format!("{}: {error}", file.display());
    match std::fs::read(&file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| told(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(&error)),
    }
}
