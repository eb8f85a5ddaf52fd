mod bench;
mod check;
mod edit;
mod live;
mod refusal;
mod texts;
mod window;

use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{
    ChatModel, ChatOutput, ChatRequest, ChatResponse, ChatStream, Error, ErrorKind, GuardAction, GuardNote,
    Message, Result, Role, Usage,
};

use crate::guard::Phase;
use crate::placeholder::Placeholders;
use crate::rules::{Guardrails, Rule};
use bench::Bench;
use check::{Looked, Names, Retry};

/// A chat model behind [guardrails](Guardrails): requests are checked before it sees them, answers before the client does.
///
/// It stands outside a cache, so that an answer that was kept is checked as well, and what was taken out of a request is neither in the cache's keys
/// nor in its answers. What guards find is noted in the request's [`Trail`](edge_ai_core::Trail), without the text.
///
/// # Errors
/// Beside the model's own:
///
/// - [`ErrorKind::ContentFiltered`] with the code `guardrail_blocked`, for what a guard blocks. In a stream it takes the place of the end.
/// - The code `guardrail_failed`, when a guard that is closed on failure fails: [`ErrorKind::Unavailable`], unless the fault is the operator's.
/// - [`ErrorKind::Unsupported`] for a request for several answers: only one can be followed.
#[derive(Clone, Debug)]
pub struct GuardedChatModel {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    model: Arc<dyn ChatModel>,
    bench: Bench,
}

/// A request that the model may see, and the names in it.
struct Admitted {
    request: ChatRequest,
    names: Arc<Placeholders>,
}

impl GuardedChatModel {
    /// How much of an answer is held for a guard that needs all of it, by the [size](edge_ai_core::ChatAccumulator::size) of the answer: 8 MiB.
    pub const MAX_HELD: usize = 8 << 20;

    /// Guards `model`.
    pub fn new(model: Arc<dyn ChatModel>, rails: Guardrails) -> Self {
        let inner = Inner {
            model,
            bench: Bench::new(rails),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

#[async_trait]
impl ChatModel for GuardedChatModel {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        let Admitted { request, names } = self.inner.admit(request).await?;
        let response = self.inner.model.chat(request.clone()).await?;
        self.inner.released(request, &names, response).await
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        let Admitted { request, names } = self.inner.admit(request).await?;
        let stream = self.inner.model.chat_stream(request.clone()).await?;
        if !self.inner.bench.looks_at(Phase::Answer) && names.is_empty() {
            return Ok(stream);
        }
        Ok(live::guarded(Arc::clone(&self.inner), request, names, stream))
    }
}

impl Inner {
    /// Checks a request, and takes out of it what the model must not see.
    async fn admit(&self, mut request: ChatRequest) -> Result<Admitted> {
        if request.choices.is_some_and(|choices| choices > 1) && self.bench.looks_at(Phase::Answer) {
            let message = "an answer that is guarded can only be one: leave `n` out";
            return Err(Error::new(ErrorKind::Unsupported, message).with_param("n"));
        }
        let mut names = Placeholders::default();
        if self.bench.looks_at(Phase::Request) {
            let context = request.context.clone();
            let passages = texts::of_input(&request.input);
            if self.bench.redacts(Phase::Request) {
                passages.iter().for_each(|passage| names.reserve(&passage.text));
            }
            let edits = check::matched(
                &self.bench,
                Phase::Request,
                &passages,
                Names::Give(&mut names),
                &context,
            )?;
            drop(passages);
            if !edits.is_empty() {
                edit::apply(texts::in_input(request.input.edit()), edits);
            }
            let passages = texts::of_input(&request.input);
            let looked = Looked {
                phase: Phase::Request,
                passages: &passages,
                question: &[],
                input: &request.input,
                calls_tools: false,
                model: &*self.model,
                context: &context,
            };
            let verdict = check::whole(self.bench.whole(Phase::Request), looked, Some(&mut names)).await?;
            drop(passages);
            if !verdict.edits.is_empty() {
                edit::apply(texts::in_input(request.input.edit()), verdict.edits);
            }
        }
        Ok(Admitted {
            request,
            names: Arc::new(names),
        })
    }

    /// Checks an answer, asking again as far as the rules say, and makes it the client's.
    async fn released(
        &self,
        request: ChatRequest,
        names: &Arc<Placeholders>,
        response: ChatResponse,
    ) -> Result<ChatResponse> {
        let mut response = self.accepted(request.clone(), response, |_| true).await?;
        let passages = texts::of_output(&response);
        let edits = check::matched(
            &self.bench,
            Phase::Answer,
            &passages,
            Names::Restore(names),
            &request.context,
        )?;
        drop(passages);
        redact(&mut response, edits);
        Ok(response)
    }

    /// The first answer that the guards who need all of it accept, of `response` and what the model says when it is asked again. Those that
    /// `wanted` names are asked.
    async fn accepted(
        &self,
        request: ChatRequest,
        mut response: ChatResponse,
        wanted: fn(&Rule) -> bool,
    ) -> Result<ChatResponse> {
        let mut asked = request.clone();
        let mut again = 0;
        let mut spent: Option<Usage> = None;
        loop {
            let verdict = self.judge(&request, &response, wanted).await?;
            let Some(Retry {
                times,
                reason,
                error,
                note,
            }) = verdict.retry
            else {
                redact(&mut response, verdict.edits);
                if let Some(spent) = spent {
                    // What was asked before was paid for as well.
                    let answer = response.edit();
                    answer.usage = Some(answer.usage.unwrap_or_default() + spent);
                }
                return Ok(response);
            };
            request.context.trail.add_guard(note.clone());
            if again >= times {
                request.context.trail.add_guard(GuardNote::new(
                    note.guard,
                    note.category,
                    GuardAction::Block,
                    note.place,
                ));
                return Err(error);
            }
            again += 1;
            spent = match (spent, response.usage) {
                (Some(spent), Some(usage)) => Some(spent + usage),
                (spent, usage) => spent.or(usage),
            };
            asked = ask_again(&request, &response, &reason, asked.model);
            response = self.model.chat(asked.clone()).await?;
        }
    }

    async fn judge(
        &self,
        request: &ChatRequest,
        output: &ChatOutput,
        wanted: fn(&Rule) -> bool,
    ) -> Result<check::Verdict> {
        let passages = texts::of_output(output);
        let question = texts::of_input(&request.input);
        let looked = Looked {
            phase: Phase::Answer,
            passages: &passages,
            question: &question,
            input: &request.input,
            calls_tools: output.tool_calls().next().is_some(),
            model: &*self.model,
            context: &request.context,
        };
        let rules = self.bench.whole(Phase::Answer).filter(move |rule| wanted(rule));
        check::whole(rules, looked, None).await
    }
}

/// The request with the answer that was not accepted, and why.
fn ask_again(request: &ChatRequest, output: &ChatOutput, reason: &str, model: String) -> ChatRequest {
    let mut again = request.clone();
    again.model = model;
    let input = again.input.edit();
    // A call without its result is no conversation.
    if output.tool_calls().next().is_none() && !output.text().is_empty() {
        input.messages.push(output.to_message());
    }
    let text =
        format!("Your last answer was not accepted ({reason}). Answer again, so that this is put right.");
    input.messages.push(Message::from_text(Role::User, text));
    again
}

/// Replaces parts of an answer. What its vendor says about single tokens would tell them.
fn redact(response: &mut ChatResponse, edits: Vec<edit::Edit>) {
    if edits.is_empty() {
        return;
    }
    let output = response.edit();
    edit::apply(texts::in_output(output), edits);
    output.extra.retain(|name| !name.contains("logprobs"));
}
