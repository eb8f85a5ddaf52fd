mod connect;
mod pass;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use edge_ai_core::{
    ChatEvent, ChatFrame, ChatModel, ChatRequest, ChatResponse, ChatStream, Clock, Context, Dialect,
    EmbeddingModel, EmbeddingRequest, EmbeddingResponse, Entropy, Error, ErrorKind, FinishReason,
    RerankRequest, RerankResponse, Reranker, Result, Timestamp, TokenCount, Usage, Verbatim,
    estimate_input_tokens, estimate_tokens, timeout,
};

use super::asked::Asked;
use super::attempt::Attempts;
use super::budget::Budgets;
use super::health::Health;
use super::idle::{guarded, preamble};
use super::pace::{PaceStore, Paces, Shared};
use super::plan::Chooser;
use super::table::RouteTable;
use super::target::Target;
use super::{RetryPolicy, Timeouts};
use crate::limit::{Estimate, Gate, Stage, permitted};
use crate::patience::Patience;
use crate::usage::PriceTable;
pub(crate) use connect::{Connected, Dialed};
pub(crate) use pass::{PassedOn, Passing};

/// A model that is all models: it looks up who answers a name and goes through a route's targets until one does.
///
/// - A [policy](RetryPolicy) says how often and after which pauses; `Retry-After` is kept to.
/// - Each call is held to [time limits](Timeouts).
/// - A stream is handed on once its first content is there: a failure before that is one more failed call, one after it is the client's to
///   see.
/// - Every call is noted in the request's [`Trail`](edge_ai_core::Trail).
///
/// # Health
///
/// What one request learns of a target serves the others of the isolate. A target rests, and the others of a route go before it,
/// - after a `Retry-After`, until that time, for five minutes at most;
/// - after three failures in a row, for a second. Then one request tries it: its answer ends the rest, its failure doubles it, up to a minute.
///
/// A failure that the request caused (it is wrong, too long, or refused for its content; its deadline was short) does not count. One that a tenant's requests can
/// cause (no answer in time, one that breaks off or is none, status 500, a 429 without a time) makes a target rest for that tenant alone, until another tenant
/// has met one as well: a flood of odd prompts closes nothing to others. What is the vendor's alone (it is out of reach, overloaded, or does not
/// take the operator's key) concerns all at once.
/// Nobody is refused on this account alone: with no other target left, one that rests is waited for as the policy
/// allows, or called. An answer counts as one with its first content. At most 1,024 targets are remembered; clones of a router share what they know.
#[derive(Clone, Debug)]
pub struct Router {
    table: Arc<RouteTable>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    health: Arc<Health>,
    paces: Arc<Paces>,
    prices: Arc<PriceTable>,
    retry: RetryPolicy,
    budgets: Arc<Budgets>,
    timeouts: Timeouts,
    told: Arc<[Arc<str>]>,
    gate: Option<Arc<dyn Gate>>,
    shared: Option<Arc<Shared>>,
}

impl Router {
    /// The providers that are told of a request's trace unless said otherwise: servers of one's own, and one's own AI Gateway.
    pub const TOLD: [&str; 4] = ["cloudflare-ai-gateway", "compatible", "ollama", "vllm"];

    /// Routes by `table` with the default policy and limits.
    pub fn new(table: Arc<RouteTable>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            paces: Arc::new(Paces::new(table.raced())),
            table,
            clock,
            entropy,
            health: Arc::default(),
            prices: Arc::default(),
            retry: RetryPolicy::default(),
            budgets: Arc::new(Budgets::new(&RetryPolicy::default())),
            timeouts: Timeouts::default(),
            told: Self::TOLD.into_iter().map(Arc::from).collect(),
            gate: None,
            shared: None,
        }
    }

    /// Sets how often targets are tried.
    #[must_use]
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self {
            retry,
            budgets: Arc::new(Budgets::new(&retry)),
            ..self
        }
    }

    /// Sets how long calls may take.
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Sets the prices that [`Route::cheapest`](crate::Route::cheapest) goes by; the [list prices](PriceTable::default) unless told.
    #[must_use]
    pub fn prices(self, prices: PriceTable) -> Self {
        Self {
            prices: Arc::new(prices),
            ..self
        }
    }

    /// Sets which providers are told of a request's trace, by `traceparent` and `tracestate`; [those](Self::TOLD) that are one's own unless
    /// told. A vendor learns by it which requests belong together.
    #[must_use]
    pub fn trace_to<T: Into<Arc<str>>>(self, providers: impl IntoIterator<Item = T>) -> Self {
        Self {
            told: providers.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Lets isolates share in `store` how quick targets have been, exchanged so often at most, behind requests that have a
    /// [background](Context::background).
    #[must_use]
    pub fn shared_paces(self, store: Arc<dyn PaceStore>, every: Duration) -> Self {
        Self {
            shared: Some(Arc::new(Shared::new(store, every))),
            ..self
        }
    }

    /// Sets the limits that targets are held to.
    pub(crate) fn gate(self, gate: Option<Arc<dyn Gate>>) -> Self {
        Self { gate, ..self }
    }

    /// What a chat is expected to take, at the price of the dearest model that it may go to.
    pub(crate) fn estimate_chat(&self, request: &ChatRequest) -> Estimate {
        self.estimate(&request.model, &Asked::chat(request, false))
    }

    /// The same for embeddings.
    pub(crate) fn estimate_embedding(&self, request: &EmbeddingRequest) -> Estimate {
        self.estimate(&request.model, &Asked::embedding(request))
    }

    /// The same for a reranking.
    pub(crate) fn estimate_rerank(&self, request: &RerankRequest) -> Estimate {
        self.estimate(&request.model, &Asked::rerank(request))
    }

    fn estimate(&self, model: &str, asked: &Asked<'_>) -> Estimate {
        let (input, output) = asked.expected_tokens();
        let usage = Usage::new(input, output);
        let targets = self.table.candidates(model);
        let prices = targets.iter().filter_map(|target| {
            let price = self.prices.get(target.provider.name(), target.model())?;
            Some(price.of(&usage))
        });
        Estimate {
            input,
            output,
            cost: prices.max(),
        }
    }

    /// Goes on with what another router has learned of targets' [health](Self#health), as when the routes change while a gateway serves.
    #[must_use]
    pub fn inherit(self, other: &Self) -> Self {
        Self {
            health: Arc::clone(&other.health),
            ..self
        }
    }

    /// The names it knows.
    pub fn table(&self) -> &RouteTable {
        &self.table
    }

    /// When the answer must be there: the caller's time or ours, whichever is sooner.
    fn deadline(&self, context: &Context) -> Timestamp {
        let ours = self.clock.now() + self.timeouts.total;
        context.deadline.map_or(ours, |theirs| theirs.min(ours))
    }

    /// Whether a name leads to one model alone, whose provider gets a request in `dialect` as it was written.
    pub(crate) fn reaches_alone(&self, name: &str, dialect: &Dialect) -> bool {
        let target = self.table.alone(name);
        target.is_some_and(|target| target.provider.speaks(target.model(), dialect))
    }

    /// The tokens of a request's prompt with the model that would be asked first, and whether its vendor has counted them; otherwise they are
    /// [estimated](estimate_input_tokens).
    ///
    /// # Errors
    /// As [`chat`](ChatModel::chat); no other model is asked, since it counts differently.
    pub(crate) async fn count_tokens(&self, request: ChatRequest) -> Result<(Verbatim<TokenCount>, bool)> {
        let asked = Asked::chat(&request, false);
        let mut targets = self.targets(&request.model, &asked)?;
        targets.truncate(1);
        let counts = targets
            .iter()
            .any(|target| target.provider.token_counter().is_some());
        if !counts {
            let estimate = TokenCount::new(estimate_input_tokens(&request.input));
            return Ok((estimate.into(), false));
        }
        let request = &request;
        let attempts = self.attempts(&asked, self.timeouts.answer);
        let (limit, deadline) = attempts.patience();
        let (count, permit) = attempts
            .run(targets, |target, context| async move {
                let counter = target
                    .provider
                    .token_counter()
                    .ok_or_else(|| cannot(&target, "counts"))?;
                let mut request = request.clone().with_context(context);
                request.model = target.model().to_owned();
                let count = self.within(limit, deadline, counter.count_tokens(request)).await;
                named(count, &target)
            })
            .await?;
        permit.answered(Some(Usage::default()));
        Ok((count, true))
    }

    fn attempts<'a>(&'a self, asked: &Asked<'a>, limit: Duration) -> Attempts<'a> {
        let (context, stream) = (asked.context, asked.stream);
        let gate = self
            .gate
            .as_deref()
            .filter(|gate| gate.has(Stage::Target, context));
        Attempts {
            clock: &*self.clock,
            entropy: &*self.entropy,
            health: &self.health,
            paces: &self.paces,
            budgets: &self.budgets,
            policy: self.retry.with_wishes(&context.retry),
            context,
            told: &self.told,
            stream,
            deadline: self.deadline(context),
            limit,
            gate,
            prices: &self.prices,
            model: asked.model(),
            tokens: gate.map_or((0, 0), |_| asked.expected_tokens()),
        }
    }

    /// The targets for a request, first choice first.
    fn targets(&self, name: &str, asked: &Asked<'_>) -> Result<Vec<Target>> {
        if let Some(shared) = &self.shared {
            shared.exchange(&self.paces, &self.clock, asked.context);
        }
        let chooser = Chooser {
            asked,
            prices: &self.prices,
            paces: &self.paces,
            entropy: &*self.entropy,
            now: self.clock.now(),
        };
        self.table.resolve(name, &chooser)
    }

    /// Waits for one call's answer, within its own time and the request's.
    async fn within<T>(
        &self,
        limit: Duration,
        deadline: Timestamp,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let left = deadline.since(self.clock.now());
        timeout(&*self.clock, limit.min(left), call).await
    }

    async fn first_content(
        &self,
        chat: Arc<dyn ChatModel>,
        request: ChatRequest,
    ) -> Result<(ChatStream, Vec<ChatFrame>)> {
        let mut stream = chat.chat_stream(request).await?;
        let ahead = preamble(&mut stream).await?;
        Ok((stream, ahead))
    }
}

/// The same request for a target.
fn aimed(
    request: &ChatRequest,
    target: &Target,
    context: Context,
) -> Result<(Arc<dyn ChatModel>, ChatRequest)> {
    let chat = target
        .provider
        .chat_model()
        .ok_or_else(|| cannot(target, "chat"))?;
    let mut request = request.clone().with_context(context);
    request.model = target.model().to_owned();
    Ok((chat, request))
}

fn cannot(target: &Target, what: &str) -> Error {
    let message = format!("it has no models for {what}");
    Error::new(ErrorKind::Unsupported, message)
        .with_provider(target.provider.name())
        .with_param("model")
}

/// The same stream, whose target's pace is learnt at its end. A client that reads slowly makes it look slower: the rate is what one gets.
fn timed(stream: ChatStream, target: &Arc<str>, paces: &Arc<Paces>, clock: &Arc<dyn Clock>) -> ChatStream {
    let (target, paces, clock) = (Arc::clone(target), Arc::clone(paces), Arc::clone(clock));
    let began = clock.now();
    let mut tokens = 0_u64;
    stream.inspect(move |item| {
        let Ok(frame) = item else { return };
        for event in &frame.events {
            match event {
                ChatEvent::Text(text) => tokens = tokens.saturating_add(estimate_tokens(text)),
                ChatEvent::Reasoning(delta) => tokens = tokens.saturating_add(estimate_tokens(&delta.text)),
                ChatEvent::ToolCall(delta) => {
                    tokens = tokens.saturating_add(estimate_tokens(&delta.arguments))
                }
                ChatEvent::Usage(usage) if usage.output_tokens > 0 => tokens = usage.output_tokens,
                _ => {}
            }
        }
        if frame.is_last() {
            let now = clock.now();
            paces.wrote(&target, tokens, now.since(began), now);
        }
    })
}

/// An empty answer that the vendor's filter has stopped is a refusal, where a refusal goes to the next target.
fn unrefused(answer: ChatResponse, target: &Target) -> Result<ChatResponse> {
    let empty = answer.text().is_empty() && answer.tool_calls().next().is_none();
    if empty && is_refusal(&answer.finish_reason) && target.offers_refusals() {
        return Err(refused());
    }
    Ok(answer)
}

/// The same of a stream's beginning.
fn unrefused_stream(
    begun: (ChatStream, Vec<ChatFrame>),
    target: &Target,
) -> Result<(ChatStream, Vec<ChatFrame>)> {
    let mut events = begun.1.iter().flat_map(|frame| &frame.events);
    let refused_first = events
        .find(|event| !matches!(event, ChatEvent::Start(_) | ChatEvent::Usage(_)))
        .is_some_and(|event| matches!(event, ChatEvent::Finish(reason) if is_refusal(reason)));
    if refused_first && target.offers_refusals() {
        return Err(refused());
    }
    Ok(begun)
}

const fn is_refusal(reason: &FinishReason) -> bool {
    matches!(reason, FinishReason::ContentFilter | FinishReason::Refusal)
}

fn refused() -> Error {
    Error::new(
        ErrorKind::ContentFiltered,
        "the answer was stopped by the vendor's filter before it began",
    )
    .with_code("content_filter")
}

/// Names the provider of an error that has none, such as a time limit's.
fn named<T>(outcome: Result<T>, target: &Target) -> Result<T> {
    outcome.map_err(|error| match error.provider() {
        Some(_) => error,
        None => error.with_provider(target.provider.name()),
    })
}

#[async_trait]
impl ChatModel for Router {
    async fn chat(&self, request: ChatRequest) -> Result<ChatResponse> {
        let asked = Asked::chat(&request, false);
        let targets = self.targets(&request.model, &asked)?;
        let request = &request;
        let attempts = self.attempts(&asked, self.timeouts.answer);
        let (limit, deadline) = attempts.patience();
        let (answer, permit) = attempts
            .run(targets, |target, context| async move {
                let (chat, request) = aimed(request, &target, context)?;
                let answer = self.within(limit, deadline, chat.chat(request)).await;
                named(answer.and_then(|answer| unrefused(answer, &target)), &target)
            })
            .await?;
        permit.answered(answer.usage);
        Ok(answer)
    }

    async fn chat_stream(&self, request: ChatRequest) -> Result<ChatStream> {
        let asked = Asked::chat(&request, true);
        let targets = self.targets(&request.model, &asked)?;
        let request = &request;
        let attempts = self.attempts(&asked, self.timeouts.first_token);
        let (limit, deadline) = attempts.patience();
        let ((stream, ahead, target), permit) = attempts
            .run(targets, |target, context| async move {
                let (chat, request) = aimed(request, &target, context)?;
                let begun = self
                    .within(limit, deadline, self.first_content(chat, request))
                    .await;
                let begun = named(begun.and_then(|begun| unrefused_stream(begun, &target)), &target)?;
                Ok((begun.0, begun.1, target))
            })
            .await?;
        let patience = Patience::new(Arc::clone(&self.clock), self.timeouts.idle);
        let stream = guarded(stream, ahead, patience);
        let stream = match self.paces.measures(target.name()) {
            true => timed(stream, target.name(), &self.paces, &self.clock),
            false => stream,
        };
        Ok(permitted(stream, permit))
    }
}

#[async_trait]
impl EmbeddingModel for Router {
    async fn embed(&self, request: EmbeddingRequest) -> Result<EmbeddingResponse> {
        let asked = Asked::embedding(&request);
        let targets = self.targets(&request.model, &asked)?;
        let request = &request;
        let attempts = self.attempts(&asked, self.timeouts.answer);
        let (limit, deadline) = attempts.patience();
        let (answer, permit) = attempts
            .run(targets, |target, context| async move {
                let embeddings = target
                    .provider
                    .embedding_model()
                    .ok_or_else(|| cannot(&target, "embeddings"))?;
                let mut request = request.clone().with_context(context);
                request.model = target.model().to_owned();
                named(
                    self.within(limit, deadline, embeddings.embed(request)).await,
                    &target,
                )
            })
            .await?;
        permit.answered(answer.usage);
        Ok(answer)
    }
}

#[async_trait]
impl Reranker for Router {
    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse> {
        let asked = Asked::rerank(&request);
        let targets = self.targets(&request.model, &asked)?;
        let request = &request;
        let attempts = self.attempts(&asked, self.timeouts.answer);
        let (limit, deadline) = attempts.patience();
        let (answer, permit) = attempts
            .run(targets, |target, context| async move {
                let reranker = target
                    .provider
                    .reranker()
                    .ok_or_else(|| cannot(&target, "reranking"))?;
                let mut request = request.clone().with_context(context);
                request.model = target.model().to_owned();
                named(
                    self.within(limit, deadline, reranker.rerank(request)).await,
                    &target,
                )
            })
            .await?;
        permit.answered(answer.usage);
        Ok(answer)
    }
}
