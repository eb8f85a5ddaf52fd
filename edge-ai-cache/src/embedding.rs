use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use edge_ai_core::{
    Cache, CacheKey, CacheMode, CacheStatus, Context, EmbeddingModel, EmbeddingOutput, EmbeddingRequest,
    EmbeddingResponse, EmbeddingText, Error, ErrorKind, Result, Usage,
};
use futures_util::stream::{self, StreamExt};
use sha2::{Digest, Sha256};

use crate::CacheRules;
use crate::apart::write_context;

/// An embedding model before which a cache stands: each text is kept by itself, so that a batch with some known texts asks only for the rest.
///
/// A text's key is made of the tenant, the model, the wished dimensions, the purpose, unknown fields, and the text. Vectors come in the order of
/// the request's texts, and the usage is that of the texts that were asked for. Vectors of different models never meet in one answer: where a
/// route has gone on to another model meanwhile, everything is asked for anew. A caller's own
/// [key](edge_ai_core::CachePolicy::key) has no meaning here, and nothing is given past its time.
#[derive(Clone, Debug)]
pub struct CachedEmbeddingModel {
    model: Arc<dyn EmbeddingModel>,
    cache: Arc<dyn Cache>,
    rules: Arc<CacheRules>,
    salt: Arc<[u8]>,
    labels: Arc<[String]>,
    keys_apart: bool,
    max_texts: usize,
}

/// Changes whenever a key or a kept vector means something else than before.
const VERSION: u8 = 2;

/// Reads and writes that go on at once: a Worker has
/// [six connections](https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections).
const AT_ONCE: usize = 6;

impl CachedEmbeddingModel {
    /// Keeps the vectors of `model` in `cache` by `rules`.
    pub fn new(model: Arc<dyn EmbeddingModel>, cache: Arc<dyn Cache>, rules: impl Into<CacheRules>) -> Self {
        Self {
            model,
            cache,
            rules: Arc::new(rules.into()),
            salt: Arc::default(),
            labels: Arc::default(),
            keys_apart: false,
            max_texts: 256,
        }
    }

    /// What the vectors depend on beside the request, such as a digest of the routes.
    #[must_use]
    pub fn salt(self, salt: impl AsRef<[u8]>) -> Self {
        Self {
            salt: salt.as_ref().into(),
            ..self
        }
    }

    /// The labels among a request's [metadata](Context::metadata) that the vectors depend on, as where a route is chosen by them.
    #[must_use]
    pub fn labels(self, labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            labels: labels.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Sets whether it matters by which [key](Context::key) a caller comes, as where a route is chosen by it.
    #[must_use]
    pub fn keys_apart(self, keys_apart: bool) -> Self {
        Self { keys_apart, ..self }
    }

    /// Sets how many texts a request may have to be looked up; a larger one passes the cache by. 256 unless set: each text is a read, and a
    /// Worker has [a thousand](https://developers.cloudflare.com/workers/platform/limits/#subrequests) for a request.
    #[must_use]
    pub fn max_texts(self, texts: usize) -> Self {
        Self {
            max_texts: texts,
            ..self
        }
    }

    fn keys(&self, request: &EmbeddingRequest) -> Result<Vec<CacheKey>> {
        let json = |value: serde_json::Result<Vec<u8>>| {
            value.map_err(|error| {
                Error::new(ErrorKind::Internal, "a request cannot be named").with_source(error)
            })
        };
        let mut all = Sha256::new();
        all.update([VERSION]);
        let rest = json(serde_json::to_vec(&(
            request.context.tenant.as_deref(),
            &request.model,
            request.dimensions,
            request.purpose,
            &request.extra,
        )))?;
        let mut apart = Vec::new();
        write_context(&mut apart, &request.context, &self.labels, self.keys_apart);
        for part in [&self.salt[..], &rest, &apart] {
            all.update((part.len() as u64).to_le_bytes());
            all.update(part);
        }
        let key = |text: &EmbeddingText| {
            let mut one = all.clone();
            one.update(json(serde_json::to_vec(text))?);
            Ok(CacheKey::from_digest("embedding", &one.finalize()))
        };
        request.texts.iter().map(key).collect()
    }

    async fn known(&self, context: &Context, keys: &[CacheKey]) -> Vec<Option<Kept>> {
        let read = |key: CacheKey| async move {
            match self.cache.get(&key).await {
                Ok(kept) => kept.and_then(Kept::read),
                Err(error) => {
                    context.trail.warn(format!("cache: {error}"));
                    None
                }
            }
        };
        let reads = stream::iter(keys.to_vec()).map(read);
        reads.buffered(AT_ONCE).collect().await
    }

    async fn keep(&self, context: &Context, keys: Vec<CacheKey>, answer: &EmbeddingOutput, ttl: Duration) {
        let entries = keys.into_iter().zip(&answer.embeddings);
        let entries: Vec<_> = entries
            .map(|(key, vector)| (key, Kept::write(&answer.model, vector)))
            .collect();
        let (cache, trail) = (Arc::clone(&self.cache), context.trail.clone());
        let work = async move {
            let writes = stream::iter(entries).map(|(key, value)| {
                let cache = &cache;
                async move { cache.put(&key, value, ttl).await }
            });
            let outcomes: Vec<_> = writes.buffer_unordered(AT_ONCE).collect().await;
            if let Some(Err(error)) = outcomes.into_iter().find(Result::is_err) {
                trail.warn(format!("cache: {error}"));
            }
        };
        context.defer(work).await;
    }

    /// The rest of a request's texts, each once; a request of which nothing is known stays as it is.
    fn rest(
        request: &EmbeddingRequest,
        known: &[Option<Kept>],
        keys: &[CacheKey],
    ) -> (EmbeddingRequest, Vec<CacheKey>) {
        let mut rest = request.clone();
        if known.iter().all(Option::is_none) {
            return (rest, keys.to_vec());
        }
        let mut asked = Vec::new();
        let texts = &mut rest.input.edit().texts;
        texts.clear();
        for ((text, key), known) in request.texts.iter().zip(keys).zip(known) {
            if known.is_none() && !asked.contains(key) {
                asked.push(key.clone());
                texts.push(text.clone());
            }
        }
        (rest, asked)
    }

    async fn answer(
        &self,
        request: EmbeddingRequest,
        ttl: Duration,
        read: bool,
    ) -> Result<EmbeddingResponse> {
        let (context, keys) = (request.context.clone(), self.keys(&request)?);
        let mut known = match read {
            true => self.known(&context, &keys).await,
            false => keys.iter().map(|_| None).collect(),
        };
        // What does not go with the first is as good as unknown.
        let first = known.iter().flatten().next().map(Kept::family);
        for kept in &mut known {
            kept.take_if(|kept| first.as_ref() != Some(&kept.family()));
        }
        let (rest, asked) = Self::rest(&request, &known, &keys);
        if rest.texts.is_empty() {
            context.trail.set_cache(CacheStatus::Hit);
            let model = first.map(|(model, _)| model).unwrap_or_default();
            let vectors = known.into_iter().flatten().map(|kept| kept.vector).collect();
            let mut output = EmbeddingOutput::new(model, vectors);
            output.usage = Some(Usage::default());
            return Ok(output.into());
        }
        context.trail.set_cache(CacheStatus::Miss);
        if context.cache.only_if_cached {
            let message = "not all of these texts are kept, and the request asks for kept ones alone (`only-if-cached`)";
            return Err(Error::new(ErrorKind::NotFound, message)
                .with_status(504)
                .with_code("only_if_cached"));
        }
        let whole = first.is_none();
        let answer = self.model.embed(rest).await?;
        if answer.embeddings.len() != asked.len() {
            return if whole {
                Ok(answer)
            } else {
                self.model.embed(request).await
            };
        }
        let new = answer
            .embeddings
            .first()
            .map(|vector| (answer.model.clone(), vector.len()));
        self.keep(&context, asked.clone(), &answer, ttl).await;
        if whole {
            return Ok(answer);
        }
        if first != new {
            // Another model answers now.
            return self.model.embed(request).await;
        }
        let mut output = answer.into_inner();
        let new: HashMap<CacheKey, Vec<f32>> = asked.into_iter().zip(output.embeddings).collect();
        let vectors = known.into_iter().zip(&keys).map(|(kept, key)| match kept {
            Some(kept) => Some(kept.vector),
            None => new.get(key).cloned(),
        });
        output.embeddings = vectors
            .collect::<Option<_>>()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a text has no vector"))?;
        Ok(output.into())
    }
}

#[async_trait]
impl EmbeddingModel for CachedEmbeddingModel {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        let rule = self.rules.of(&request.model);
        let mode = request.context.cache.mode;
        let texts = request.texts.len();
        if !rule.enabled || mode == CacheMode::Bypass || texts == 0 || texts > self.max_texts {
            request.context.trail.set_cache(CacheStatus::Bypass);
            return self.model.embed(request).await;
        }
        let ttl = rule.ttl_for(request.context.cache.ttl);
        // How old a vector is, is not written down: who asks for an age gets new ones.
        let policy = &request.context.cache;
        let read = mode == CacheMode::Use && policy.max_age.is_none() && policy.min_fresh.is_none();
        self.answer(request, ttl, read).await
    }
}

/// A kept vector, and the model that made it.
struct Kept {
    model: String,
    vector: Vec<f32>,
}

impl Kept {
    fn family(&self) -> (String, usize) {
        (self.model.clone(), self.vector.len())
    }

    /// The length of the model's name, the name, the numbers.
    fn write(model: &str, vector: &[f32]) -> Bytes {
        let mut out = BytesMut::with_capacity(2 + model.len() + 4 * vector.len());
        let length = u16::try_from(model.len()).unwrap_or_default();
        out.put_u16(length);
        out.extend_from_slice(model.as_bytes().get(..length.into()).unwrap_or_default());
        for value in vector {
            out.put_f32_le(*value);
        }
        out.freeze()
    }

    fn read(mut kept: Bytes) -> Option<Self> {
        let length = kept.try_get_u16().ok()?.into();
        if kept.len() < length {
            return None;
        }
        let model = String::from_utf8(kept.split_to(length).into()).ok()?;
        let numbers = kept.chunks_exact(4);
        if !numbers.remainder().is_empty() {
            return None;
        }
        let vector = numbers
            .map(|number| number.try_into().map(f32::from_le_bytes))
            .collect::<std::result::Result<_, _>>()
            .ok()?;
        Some(Self { model, vector })
    }
}
