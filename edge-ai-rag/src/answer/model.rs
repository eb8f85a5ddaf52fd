use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Cache, ChatAccumulator, ChatModel, ChatOutput, ChatRequest, ChatResponse, ChatStream, Entropy, Result,
    SemanticIndex, Trail, Usage, async_trait,
};
use futures_util::{StreamExt, stream};

use super::frequent::Frequent;
use super::outcome::whole;
use super::prepare::{Ask, Prepared};
use super::{Answer, AnswerStream};
use crate::{Namespace, RetrievalOptions, Retriever, Threshold};

/// A chat model that answers from documents: it finds what the last turn is about, gives that to another model, and checks what the answer cites.
///
/// - The namespace is that of the request's [tenant](edge_ai_core::Context::tenant); a conversation's last turn is rewritten to stand by itself where the
///   retriever has a [model for questions](Retriever::query_model), else it is searched for together with the turn before it.
/// - Retrieved text is never an instruction: it stands in the user's turn, each source between lines of a name that is random for each request.
/// - `[1]` in the answer is a citation of a source that the model was given; a number that it invented is dropped from the text and told.
/// - Nothing found, or nothing that [is evidence](Self::evidence): the answer says so without asking the model; with tools, pictures or a form to fill,
///   the model is asked, and told that there are no sources.
/// - Tools, formats, sampling and pictures go to the model. An answer in JSON has sources, but no marks. Several answers at once
///   ([`choices`](edge_ai_core::ChatInput::choices)) are refused.
///
/// As a [`ChatModel`], it carries sources and citations in parts of OpenAI's dialect, so that OpenAI's SDKs show them; a stream begins with the sources, in a
/// delta of their own, and has the citations before its end. The `message` has, beside its `content`:
///
/// | field | what |
/// | --- | --- |
/// | `sources` | for each source `number`, `document_id`, `chunk_id`, `title`, `heading`, `range` in bytes, `source`, `score` |
/// | `annotations` | for each mark a `url_citation` (`url`, `title`, `start_index`, `end_index`) where the document's source is a URL, else a `file_citation` (`file_id`, `filename`, and the same indexes), and beside either a `document`: `number`, `id`, `chunk_id`, `heading`, `range`, `source` |
/// | `invented_citations` | numbers that were dropped |
///
/// Indexes are in characters of the content. Clients of other dialects get the citations that have a URL, in their own words.
///
/// A response cache in front of it, such as a gateway's, does not know when a document changes: turn it off for this model's routes, and keep answers
/// [here](Self::frequent).
///
/// ```
/// use edge_ai_core::{ChatRequest, Context};
/// # use edge_ai_core::{ChatModel, Clock, EmbeddingModel, Entropy, KeywordStore, Result, VectorStore};
/// use edge_ai_rag::{RagModel, RetrievalOptions, Retriever, Threshold};
/// # use edge_ai_rag::ChunkSource;
///
/// # async fn ask(index: impl ChunkSource, vectors: impl VectorStore, embeddings: impl EmbeddingModel, words: impl KeywordStore, chat: impl ChatModel, clock: impl Clock, entropy: impl Entropy) -> Result<()> {
/// let retriever = Retriever::new(index, clock).dense(vectors, embeddings, "@cf/baai/bge-base-en-v1.5").keyword(words);
/// let model = RagModel::new(retriever, chat, "openai/gpt-6-luna", entropy)
///     .namespace("handbook")
///     .retrieval(RetrievalOptions::new(6))
///     .evidence(Threshold::default().dense(0.5));
///
/// let question = ChatRequest::new("handbook").user("How many days of leave?").with_context(Context::default().with_tenant("acme"));
/// let answer = model.answer(question, None).await?;
/// for cited in &answer.citations {
///     println!("[{}] {} {:?} bytes {:?}", cited.number, cited.document_id, cited.heading, cited.range);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct RagModel {
    pub(super) retriever: Retriever,
    pub(super) chat: Arc<dyn ChatModel>,
    pub(super) model: String,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) namespace: Option<String>,
    pub(super) options: RetrievalOptions,
    pub(super) evidence: Threshold,
    pub(super) context_tokens: u64,
    pub(super) not_found: String,
    pub(super) instructions: Option<String>,
    pub(super) frequent: Option<Frequent>,
}

impl RagModel {
    /// Answers by `model` of `chat` from what `retriever` finds. The entropy names the lines around sources: give one that nobody can guess.
    pub fn new(
        retriever: Retriever,
        chat: impl ChatModel,
        model: impl Into<String>,
        entropy: impl Entropy,
    ) -> Self {
        Self {
            retriever,
            chat: Arc::new(chat),
            model: model.into(),
            entropy: Arc::new(entropy),
            namespace: None,
            options: RetrievalOptions::new(8),
            evidence: Threshold::default(),
            context_tokens: 4_000,
            not_found: "The documents do not say.".to_owned(),
            instructions: None,
            frequent: None,
        }
    }

    /// Looks in this partition of the tenant's, not in the one without a name.
    #[must_use]
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespace = Some(name.into());
        self
    }

    /// How to search; eight chunks by all searches unless set.
    #[must_use]
    pub fn retrieval(mut self, options: RetrievalOptions) -> Self {
        self.options = options;
        self
    }

    /// Asks the model only when one chunk reaches one of these scores; unless set, any chunk will do. Nearness of vectors is what tells: a good
    /// start for cosines of bge models is 0.5. A chunk that a search by words alone found has no such score and is no evidence then.
    #[must_use]
    pub fn evidence(mut self, threshold: Threshold) -> Self {
        self.evidence = threshold;
        self
    }

    /// Gives the model at most this many tokens of sources; 4,000 unless set.
    #[must_use]
    pub fn context_tokens(mut self, tokens: u64) -> Self {
        self.context_tokens = tokens;
        self
    }

    /// What is answered when the documents do not; "The documents do not say." unless set.
    #[must_use]
    pub fn not_found(mut self, text: impl Into<String>) -> Self {
        self.not_found = text.into();
        self
    }

    /// Adds instructions to the rules, such as the tone.
    #[must_use]
    pub fn instructions(mut self, text: impl Into<String>) -> Self {
        self.instructions = Some(text.into());
        self
    }

    /// Keeps answers to frequent questions for `ttl` at most, and until any document of the namespace changes: give a cache over Workers KV for all
    /// locations. Questions of one turn of text without tools are kept, by tenant, model and request; those found with warnings are not.
    #[must_use]
    pub fn frequent(mut self, cache: impl Cache, ttl: Duration) -> Self {
        let semantic = self.frequent.take().and_then(|known| known.semantic);
        self.frequent = Some(Frequent {
            cache: Some(Arc::new(cache)),
            semantic,
            ttl,
        });
        self
    }

    /// Answers questions that mean the same as one before, too, within the same bounds and for `ttl`, unless [`frequent`](Self::frequent) sets another.
    #[must_use]
    pub fn semantic(mut self, index: impl SemanticIndex, ttl: Duration) -> Self {
        let known = self.frequent.take();
        self.frequent = Some(Frequent {
            ttl: known
                .as_ref()
                .filter(|known| known.cache.is_some())
                .map_or(ttl, |known| known.ttl),
            cache: known.and_then(|known| known.cache),
            semantic: Some(Arc::new(index)),
        });
        self
    }

    /// What finds.
    pub fn retriever(&self) -> &Retriever {
        &self.retriever
    }

    /// How it searches unless told otherwise.
    pub const fn options(&self) -> &RetrievalOptions {
        &self.options
    }

    /// Where a request's question is looked for.
    pub fn namespace_of(&self, request: &ChatRequest) -> Namespace {
        Namespace::of(request.context.tenant.as_deref(), self.namespace.as_deref())
    }

    /// Answers with typed sources and citations, by the options of one request where there are some.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for `messages` without a user's text, [`ErrorKind::Unsupported`](edge_ai_core::ErrorKind::Unsupported) for several choices; the errors of
    /// [`Retriever::retrieve`] and of the model.
    pub async fn answer(&self, request: ChatRequest, options: Option<RetrievalOptions>) -> Result<Answer> {
        let trail = request.context.trail.clone();
        let prepared = self.prepare(request, options).await?;
        self.whole(prepared, trail).await
    }

    /// Answers piece by piece with typed sources and citations.
    ///
    /// # Errors
    /// As [`answer`](Self::answer); errors of the model's stream are its items.
    pub async fn answer_stream(
        &self,
        request: ChatRequest,
        options: Option<RetrievalOptions>,
    ) -> Result<AnswerStream> {
        let trail = request.context.trail.clone();
        let prepared = self.prepare(request, options).await?;
        self.stream(prepared, trail).await
    }

    async fn whole(&self, prepared: Prepared, trail: Trail) -> Result<Answer> {
        let Some(Ask {
            request,
            sources,
            cites,
        }) = prepared.ask
        else {
            return Ok(self.nothing());
        };
        let output = self.chat.chat(request).await?.into_inner();
        Ok(whole(output, sources, cites, trail))
    }

    async fn stream(&self, prepared: Prepared, trail: Trail) -> Result<AnswerStream> {
        let Some(Ask {
            request,
            sources,
            cites,
        }) = prepared.ask
        else {
            let inner = ChatStream::from_response(self.nothing().output.into());
            return Ok(AnswerStream::new(inner, Vec::new(), false, trail));
        };
        let inner = self.chat.chat_stream(request).await?;
        Ok(AnswerStream::new(inner, sources, cites, trail))
    }

    fn nothing(&self) -> Answer {
        let mut output = ChatOutput::from_text(self.not_found.as_str());
        output.model.clone_from(&self.model);
        // No tokens were taken, and that is known.
        output.usage = Some(Usage::default());
        Answer {
            output,
            sources: Vec::new(),
            citations: Vec::new(),
            invented: Vec::new(),
        }
    }
}

#[async_trait]
impl ChatModel for RagModel {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        let context = request.context.clone();
        let asked = self.asked(&request).await;
        if let Some((frequent, asked)) = &asked
            && let Some(kept) = frequent.find(asked, &context).await
        {
            return Ok(kept.into());
        }
        let prepared = self.prepare(request, None).await?;
        let keep = prepared.whole;
        let output = self.whole(prepared, context.trail.clone()).await?.into_output();
        if let Some((frequent, asked)) = asked.filter(|_| keep) {
            frequent.keep(asked, output.clone(), &context).await;
        }
        Ok(output.into())
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        let context = request.context.clone();
        let asked = self.asked(&request).await;
        if let Some((frequent, asked)) = &asked
            && let Some(kept) = frequent.find(asked, &context).await
        {
            return Ok(ChatStream::from_response(kept.into()));
        }
        let prepared = self.prepare(request, None).await?;
        let keep = prepared.whole;
        let answer = self.stream(prepared, context.trail.clone()).await?.into_chat();
        let Some((frequent, asked)) = asked.filter(|_| keep) else {
            return Ok(answer);
        };
        let keeping = (
            answer,
            ChatAccumulator::default(),
            Some((frequent, asked)),
            context,
        );
        Ok(ChatStream::new(stream::unfold(keeping, async |mut keeping| {
            let item = keeping.0.next().await?;
            if let Ok(frame) = &item {
                frame.events.iter().for_each(|event| keeping.1.push_ref(event));
                if keeping.1.is_complete()
                    && let Some((frequent, asked)) = keeping.2.take()
                {
                    let output = std::mem::take(&mut keeping.1).finish();
                    frequent.keep(asked, output, &keeping.3).await;
                }
            }
            Some((item, keeping))
        })))
    }
}
