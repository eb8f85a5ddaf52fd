use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    Cache, ChatAccumulator, ChatModel, ChatOutput, ChatRequest, ChatResponse, ChatStream, ContentPart,
    Entropy, Error, ErrorKind, Message, ResponseFormat, Result, Role, SemanticIndex, async_trait,
};
use futures_util::{StreamExt, stream};

use super::frequent::{Asked, Frequent};
use super::outcome::whole;
use super::pack::pack;
use super::{Answer, AnswerStream, Source, prompt};
use crate::digest::Digest;
use crate::retrieve::apart;
use crate::{Namespace, Retrieval, RetrievalOptions, Retriever, Threshold};

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
#[derive(Clone, Debug)]
pub struct RagModel {
    retriever: Retriever,
    chat: Arc<dyn ChatModel>,
    model: String,
    entropy: Arc<dyn Entropy>,
    namespace: Option<String>,
    options: RetrievalOptions,
    evidence: Threshold,
    context_tokens: u64,
    not_found: String,
    instructions: Option<String>,
    frequent: Option<Frequent>,
}

/// What comes of a question before a model is asked.
enum Prepared {
    /// The request to the model.
    Ask {
        request: ChatRequest,
        sources: Vec<Source>,
        cites: bool,
        /// Whether the answer may be kept: the search was whole.
        whole: bool,
    },
    /// Nothing to answer from.
    NotFound { whole: bool },
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
    /// [`ErrorKind::InvalidRequest`] for `messages` without a user's text, [`ErrorKind::Unsupported`] for several choices; the errors of
    /// [`Retriever::retrieve`] and of the model.
    pub async fn answer(&self, request: ChatRequest, options: Option<RetrievalOptions>) -> Result<Answer> {
        let trail = request.context.trail.clone();
        match self.prepare(request, options).await? {
            Prepared::Ask {
                request,
                sources,
                cites,
                ..
            } => {
                let output = self.chat.chat(request).await?.into_inner();
                Ok(whole(output, sources, cites, trail))
            }
            Prepared::NotFound { .. } => Ok(self.nothing()),
        }
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
        let prepared = self.prepare(request.clone(), options).await?;
        self.stream(prepared, &request).await
    }

    async fn stream(&self, prepared: Prepared, request: &ChatRequest) -> Result<AnswerStream> {
        let trail = request.context.trail.clone();
        match prepared {
            Prepared::Ask {
                request,
                sources,
                cites,
                ..
            } => {
                let inner = self.chat.chat_stream(request).await?;
                Ok(AnswerStream::new(inner, sources, cites, trail))
            }
            Prepared::NotFound { .. } => {
                let inner = ChatStream::from_response(self.nothing().output.into());
                Ok(AnswerStream::new(inner, Vec::new(), false, trail))
            }
        }
    }

    fn nothing(&self) -> Answer {
        let mut output = ChatOutput::from_text(self.not_found.as_str());
        output.model.clone_from(&self.model);
        // No tokens were taken, and that is known.
        output.usage = Some(edge_ai_core::Usage::default());
        Answer {
            output,
            sources: Vec::new(),
            citations: Vec::new(),
            invented: Vec::new(),
        }
    }

    async fn prepare(&self, mut request: ChatRequest, options: Option<RetrievalOptions>) -> Result<Prepared> {
        if request.choices.is_some_and(|choices| choices > 1) {
            let message = "an answer from documents is one: leave `n` out";
            return Err(Error::new(ErrorKind::Unsupported, message).with_param("n"));
        }
        let missing = || {
            Error::invalid(
                "messages",
                "there is no question: the last turn of a user must have text",
            )
        };
        let last = request
            .messages
            .iter()
            .rposition(|message| message.role == Role::User)
            .ok_or_else(missing)?;
        let question = request.messages.get(last).map(Message::text).unwrap_or_default();
        if question.trim().is_empty() {
            return Err(missing());
        }
        let mut history: Vec<Message> = request.messages.iter().take(last).cloned().collect();
        history.retain(|message| matches!(message.role, Role::User | Role::Assistant));
        let retrieval = self.retrieval_of(&request, question, history, options);
        let found = self.retriever.retrieve(retrieval).await?;
        let whole = found.warnings.is_empty();
        let reaches =
            |chunk: &crate::RetrievedChunk| self.retriever.is_evidence(self.evidence, &chunk.scores);
        let evidence = found.chunks.iter().any(reaches);
        let sources = if evidence {
            pack(found.chunks, self.context_tokens)
        } else {
            Vec::new()
        };
        let cites = matches!(request.response_format, None | Some(ResponseFormat::Text));
        // A tool or a picture may answer what the documents do not, and a form that was asked for is not ours to fill.
        let text = |part: &ContentPart| matches!(part, ContentPart::Text(_));
        let turn = request
            .messages
            .iter()
            .skip(last)
            .flat_map(|message| &message.content);
        let plain = cites && request.tools.is_empty() && turn.into_iter().all(text);
        if sources.is_empty() && plain {
            return Ok(Prepared::NotFound { whole });
        }
        request.context = apart(&request.context);
        request.model.clone_from(&self.model);
        let input = request.input.edit();
        if let Some(message) = input.messages.get_mut(last) {
            message
                .content
                .insert(0, prompt::sources(&sources, &*self.entropy));
        }
        // What a model said of sources before is not for another dialect's vendor.
        for message in input
            .messages
            .iter_mut()
            .filter(|message| message.role == Role::Assistant)
        {
            message
                .content
                .retain(|part| !matches!(part, ContentPart::Other(_)));
        }
        let rules = prompt::rules(cites, &self.not_found, self.instructions.as_deref());
        input.messages.insert(0, rules);
        Ok(Prepared::Ask {
            request,
            sources,
            cites,
            whole,
        })
    }

    fn retrieval_of(
        &self,
        request: &ChatRequest,
        question: String,
        history: Vec<Message>,
        options: Option<RetrievalOptions>,
    ) -> Retrieval {
        let mut options = options.unwrap_or_else(|| self.options.clone());
        let mut query = question;
        if self.retriever.has_query_model() {
            options.query.rewrite = true;
        } else if let Some(before) = history.iter().rfind(|message| message.role == Role::User) {
            // "And in Berlin?" finds nothing by itself.
            query = format!("{}\n{query}", before.text());
        }
        let start = query.len().saturating_sub(Retrieval::MAX_QUERY_BYTES);
        let start = (start..=query.len())
            .find(|at| query.is_char_boundary(*at))
            .unwrap_or(0);
        query.drain(..start);
        Retrieval::new(self.namespace_of(request), query)
            .with_options(options)
            .with_history(history)
            .with_context(request.context.clone())
    }

    /// The request's question, where answers are kept and this one may be.
    async fn asked(&self, request: &ChatRequest) -> Option<(Frequent, Asked)> {
        let frequent = self.frequent.as_ref()?;
        let namespace = self.namespace_of(request);
        let version = match self.retriever.source().version(&namespace).await {
            Ok(version) => version,
            Err(error) => {
                request
                    .context
                    .trail
                    .warn(format!("the documents' version cannot be read: {error}"));
                return None;
            }
        };
        let depends = Digest::new("frequent question")
            .part(namespace.as_str())
            .part(version.to_le_bytes())
            .part(self.model.as_str())
            .part(self.retriever.fingerprint())
            .part(format!(
                "{:?} {:?} {}",
                self.options, self.evidence, self.context_tokens
            ))
            .part(prompt::rules(true, &self.not_found, self.instructions.as_deref()).text())
            .into_base64();
        let asked = Asked::new(
            request,
            depends.as_bytes(),
            frequent.ttl,
            self.retriever.clock().now(),
        )?;
        Some((frequent.clone(), asked))
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
        let (answer, keep) = match self.prepare(request, None).await? {
            Prepared::Ask {
                request,
                sources,
                cites,
                whole: keep,
            } => {
                let output = self.chat.chat(request).await?.into_inner();
                (whole(output, sources, cites, context.trail.clone()), keep)
            }
            Prepared::NotFound { whole } => (self.nothing(), whole),
        };
        let output = answer.into_output();
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
        let prepared = self.prepare(request.clone(), None).await?;
        let keep = match &prepared {
            Prepared::Ask { whole, .. } | Prepared::NotFound { whole } => *whole,
        };
        let answer = self.stream(prepared, &request).await?.into_chat();
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
