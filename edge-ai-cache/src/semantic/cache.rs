use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{
    Cache, CacheKey, Clock, Comparison, Context, EmbeddingModel, EmbeddingRequest, Error, ErrorKind, Filter,
    Metric, Result, SemanticIndex, SemanticLesson, SemanticMatch, SemanticQuestion, VectorQuery,
    VectorRecord, VectorStore,
};
use sha2::{Digest, Sha256};

use super::entry::Entry;
use super::{Threshold, difference};

/// Changes whenever an id or a kept entry means something else than before.
const VERSION: u8 = 1;

/// The longest text that is compared, in bytes: what encoders read, about 500 tokens, and well within a vector's metadata.
const MAX_TEXT: usize = 2_048;

/// How many near questions are looked at.
const CANDIDATES: usize = 5;

/// Finds kept answers to questions of the same meaning: the nearest by their vectors, of which nothing in the words says otherwise.
///
/// - A question is near when the cosine of the two vectors reaches the entry's own [threshold](Threshold).
/// - It means the same only if [`difference`] finds nothing: no vector tells "on" from "off".
/// - It is looked for in its tenant's namespace, of the same embedding model, and in the same scope: model, system prompt, tools, turns before and
///   routes. In Vectorize that needs an index of the metadata: `wrangler vectorize create-metadata-index NAME --property-name=scope
///   --type=string`.
///
/// Vectors are in a [`VectorStore`] with the cosine for its metric, answers in a [`Cache`]; an answer that the cache forgot is not found.
///
/// ```
/// # use std::sync::Arc;
/// # use edge_ai_cache::{MemoryCache, SemanticCache};
/// # use edge_ai_core::{EmbeddingModel, ManualClock, VectorStore};
/// # fn make(model: Arc<dyn EmbeddingModel>, vectors: Arc<dyn VectorStore>) -> SemanticCache {
/// let clock = ManualClock::default();
/// let answers = Arc::new(MemoryCache::new(clock.clone()));
/// SemanticCache::new(model, "@cf/baai/bge-small-en-v1.5", vectors, answers, clock).threshold(0.85, 0.01)
/// # }
/// ```
#[derive(Debug)]
pub struct SemanticCache {
    embedder: Arc<dyn EmbeddingModel>,
    model: String,
    vectors: Arc<dyn VectorStore>,
    answers: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    threshold: Threshold,
}

impl SemanticCache {
    /// From where entries answer unless told otherwise: where all-MiniLM-L6-v2 and this guard answer a third of the paraphrases
    /// that were held out when it was set (`cargo xtask bench semantic`).
    pub const THRESHOLD: f32 = 0.85;
    /// The share of wrong answers that is held unless told otherwise.
    pub const ERROR_RATE: f32 = 0.01;

    /// An index of the vectors that `model` of `embedder` makes.
    pub fn new(
        embedder: Arc<dyn EmbeddingModel>,
        model: impl Into<String>,
        vectors: Arc<dyn VectorStore>,
        answers: Arc<dyn Cache>,
        clock: impl Clock,
    ) -> Self {
        Self {
            embedder,
            model: model.into(),
            vectors,
            answers,
            clock: Arc::new(clock),
            threshold: Threshold::new(Self::THRESHOLD, Self::ERROR_RATE),
        }
    }

    /// Sets the cosine from which entries answer at first, and the share of wrong answers that each then [learns](Self::tell) to hold. Models
    /// differ in what is near: measure one's own.
    #[must_use]
    pub fn threshold(self, start: f32, error_rate: f32) -> Self {
        Self {
            threshold: Threshold::new(start, error_rate),
            ..self
        }
    }

    /// Tells whether an entry's answer was right for a question at a [similarity](SemanticMatch::similarity); its threshold moves accordingly. An entry
    /// that is no longer there is passed over. Of two at once, one may be lost.
    ///
    /// # Errors
    /// When the cache fails.
    pub async fn tell(&self, entry: &str, similarity: f32, right: bool) -> Result<()> {
        let Some(key) = key_of(entry) else { return Ok(()) };
        let Some(mut kept) = self.entry(&key).await? else {
            return Ok(());
        };
        kept.evidence.note(similarity, right);
        let left = kept.left(self.clock.now());
        self.answers
            .put(&key, kept.write().map_err(unwritten)?, left)
            .await
    }

    async fn entry(&self, key: &CacheKey) -> Result<Option<Entry>> {
        let kept = self.answers.get(key).await?;
        // What another version wrote is as good as forgotten.
        Ok(kept.and_then(|kept| Entry::read(&kept).ok()))
    }

    async fn vector(&self, question: &SemanticQuestion) -> Result<Vec<f32>> {
        let mut context = Context::default();
        context.tenant = question.tenant.clone();
        let request = EmbeddingRequest::new(&self.model, [&question.text]).with_context(context);
        let embedded = self.embedder.embed(request).await?.into_inner();
        let vector = embedded.embeddings.into_iter().next();
        vector.ok_or_else(|| Error::new(ErrorKind::BadUpstream, "the embedding model gave no vector"))
    }

    /// Of the tenant and the model that makes the vectors: those of another cannot be compared.
    fn namespace(&self, question: &SemanticQuestion) -> String {
        let tenant = question.tenant.as_deref();
        let digest = digest(&[
            &[VERSION, u8::from(tenant.is_some())],
            tenant.unwrap_or_default().as_bytes(),
            self.model.as_bytes(),
        ]);
        CacheKey::from_digest("semantic", &digest).as_str().to_owned()
    }

    fn is_comparable(&self, question: &SemanticQuestion) -> Result<bool> {
        if self.vectors.capabilities().metric != Metric::Cosine {
            let message = "a semantic cache needs an index with the metric `cosine`";
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(question.text.len() <= MAX_TEXT)
    }
}

#[async_trait]
impl SemanticIndex for SemanticCache {
    async fn find(&self, question: &SemanticQuestion) -> Result<Option<SemanticMatch>> {
        if !self.is_comparable(question)? {
            return Ok(None);
        }
        let scope = question.scope.as_str();
        let query = VectorQuery::new(self.vector(question).await?)
            .top_k(CANDIDATES)
            .namespace(self.namespace(question))
            .filter(Filter::default().with("scope", Comparison::Eq, short(scope)));
        let now = self.clock.now();
        for near in self.vectors.query(query).await? {
            if near.score < self.threshold.floor() {
                break;
            }
            let text = |name: &str| near.metadata.get(name).and_then(|value| value.as_str());
            let (Some(known), true) = (text("text"), text("scope") == Some(short(scope))) else {
                continue;
            };
            if difference(&question.text, known).is_some() {
                continue;
            }
            let Some(key) = key_of(&near.id) else { continue };
            let Some(entry) = self.entry(&key).await? else {
                continue;
            };
            if entry.left(now) > Duration::ZERO && self.threshold.accepts(near.score, &entry.evidence) {
                let age = entry.age(now);
                return Ok(Some(SemanticMatch::new(
                    near.id,
                    entry.into_lesson(),
                    near.score,
                    age,
                )));
            }
        }
        Ok(None)
    }

    async fn learn(&self, question: &SemanticQuestion, lesson: &SemanticLesson, ttl: Duration) -> Result<()> {
        if !self.is_comparable(question)? {
            return Ok(());
        }
        let (scope, namespace) = (question.scope.as_str(), self.namespace(question));
        let id = digest(&[namespace.as_bytes(), scope.as_bytes(), question.text.as_bytes()]);
        let key = CacheKey::from_digest(PREFIX, id.get(..20).unwrap_or(&id));
        let entry = Entry::new(lesson, self.clock.now(), ttl);
        // The answer first: a vector without one is a look in vain.
        self.answers
            .put(&key, entry.write().map_err(unwritten)?, ttl)
            .await?;
        let record = VectorRecord::new(key.as_str(), self.vector(question).await?)
            .namespace(namespace)
            .metadata("scope", short(scope))
            .metadata("text", question.text.as_str());
        self.vectors.upsert(vec![record]).await.map(drop)
    }
}

const PREFIX: &str = "semantic";

/// The key of an entry, from its vector's id.
fn key_of(id: &str) -> Option<CacheKey> {
    let hex = id.strip_prefix(PREFIX)?.strip_prefix('-')?;
    let pairs = hex.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    Some(CacheKey::from_digest(
        PREFIX,
        &bytes.collect::<Option<Vec<u8>>>()?,
    ))
}

/// As much of a scope as a filter sees in Vectorize: 64 bytes.
fn short(scope: &str) -> &str {
    scope.get(..64).unwrap_or(scope)
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "an answer does not write").with_source(error)
}
