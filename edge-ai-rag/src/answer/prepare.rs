//! What happens to a request before a model is asked.

use edge_ai_core::{ChatRequest, ContentPart, Error, ErrorKind, Message, ResponseFormat, Result, Role};

use super::frequent::{Asked, Frequent};
use super::pack::pack;
use super::{RagModel, Source, prompt};
use crate::digest::Digest;
use crate::retrieve::apart;
use crate::{Retrieval, RetrievalOptions, RetrievedChunk};

/// What came of a question.
pub(super) struct Prepared {
    /// Whether nothing failed on the way, so that the answer may be kept.
    pub(super) whole: bool,
    /// What to ask the model; `None` when there is nothing to answer from.
    pub(super) ask: Option<Ask>,
}

/// A question to the model.
pub(super) struct Ask {
    pub(super) request: ChatRequest,
    pub(super) sources: Vec<Source>,
    /// Whether the answer has marks.
    pub(super) cites: bool,
}

impl RagModel {
    /// Finds what there is to answer from, and makes the model's request of it.
    pub(super) async fn prepare(
        &self,
        mut request: ChatRequest,
        options: Option<RetrievalOptions>,
    ) -> Result<Prepared> {
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
        let reaches = |chunk: &RetrievedChunk| self.retriever.is_evidence(self.evidence, &chunk.scores);
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
            return Ok(Prepared { whole, ask: None });
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
        let ask = Some(Ask {
            request,
            sources,
            cites,
        });
        Ok(Prepared { whole, ask })
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
    pub(super) async fn asked(&self, request: &ChatRequest) -> Option<(Frequent, Asked)> {
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
