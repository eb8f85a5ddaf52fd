use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use edge_ai_core::{
    Background, CacheStatus, ChatEvent, ChatFrame, ChatStream, Clock, Context, Error, ErrorKind,
    FinishReason, Money, Operation, Outcome, Result, Timestamp, Usage, UsageRecord, UsageSink,
    estimate_tokens,
};
use futures_channel::oneshot;
use futures_util::future::{join, join_all};

use super::capture::{Capture, Captured};
use super::expected::Expected;
use super::{LogLine, PriceTable, price};
use crate::jobs::Progress;
use crate::limit::{Actual, Holds};

/// Makes the record of one request, and hands it to the sinks exactly once: when it is settled, or when it is dropped because the client
/// went away.
///
/// The work after the answer is given to the background at once and waits for the record: in a Worker, that keeps the request's context
/// alive when the client has left.
#[derive(Debug)]
pub(crate) struct Meter(Mutex<Option<Open>>);

#[derive(Debug)]
struct Open {
    record: UsageRecord,
    context: Context,
    books: Arc<Books>,
    background: Arc<dyn Background>,
    done: oneshot::Sender<Closed>,
    captured: Option<Captured>,
    progress: Option<Arc<Progress>>,
    /// About how many tokens the request has.
    input_tokens: Expected,
    /// About how many tokens the model has written.
    output_tokens: u64,
    /// What was taken of limits.
    held: Holds,
}

/// What is kept of a request.
type Closed = (UsageRecord, Option<Captured>);

/// What a meter needs of the gateway.
pub(crate) struct Books {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) prices: PriceTable,
    pub(crate) sinks: Vec<Arc<dyn UsageSink>>,
    pub(crate) log: Option<LogLine>,
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Books")
            .field("prices", &self.prices)
            .field("sinks", &self.sinks)
            .finish_non_exhaustive()
    }
}

impl Meter {
    pub(crate) fn start(
        books: Arc<Books>,
        background: Arc<dyn Background>,
        context: Context,
        operation: Operation,
        arrived: Timestamp,
    ) -> Self {
        let id = context.request_id.as_deref().unwrap_or_default();
        let mut record = UsageRecord::new(id, arrived, operation, "");
        record.tenant = context.tenant.as_deref().map(str::to_owned);
        record.key = context.key.as_deref().map(str::to_owned);
        record.metadata.clone_from(&context.metadata);
        record.trace.clone_from(&context.trace);
        let (done, record_done) = oneshot::channel();
        background.run(Box::pin(keep(Arc::clone(&books), context.clone(), record_done)));
        Self(Mutex::new(Some(Open {
            record,
            context,
            books,
            background,
            done,
            captured: None,
            progress: None,
            input_tokens: Expected::Tokens(0),
            output_tokens: 0,
            held: Holds::default(),
        })))
    }

    /// Somebody looks on.
    pub(crate) fn watched_by(&self, progress: Arc<Progress>) {
        self.with(|open| open.progress = Some(progress));
    }

    /// The request could be read: it asks for `model`.
    pub(crate) fn asked(&self, model: &str, stream: bool) {
        self.with(|open| {
            model.clone_into(&mut open.record.requested_model);
            open.record.stream = stream;
        });
    }

    /// The request has about so many tokens: what is reckoned with when its answer breaks off before the vendor has told.
    pub(crate) fn expect(&self, input_tokens: Expected) {
        self.with(|open| open.input_tokens = input_tokens);
    }

    /// What is asked and answered is kept.
    pub(crate) fn capture(&self, capture: &Arc<Capture>, request: &Bytes) {
        self.with(|open| open.captured = Some(Captured::new(capture, request)));
    }

    /// What the client gets, when it is whole.
    pub(crate) fn answered(&self, answer: &Bytes) {
        self.with(|open| {
            if let Some(captured) = &mut open.captured {
                captured.add(&String::from_utf8_lossy(answer));
            }
        });
    }

    /// The answer's first bytes are there.
    pub(crate) fn began(&self) {
        self.with(|open| {
            if open.record.stream && open.record.time_to_first_token_ms.is_none() {
                open.record.time_to_first_token_ms = Some(open.elapsed());
            }
        });
    }

    /// The model has stopped for a reason.
    pub(crate) fn finished(&self, reason: &FinishReason) {
        self.with(|open| open.record.finish_reason = Some(reason.as_str().to_owned()));
    }

    /// The request was let in with this: it is settled with the record.
    pub(crate) fn hold(&self, holds: Holds) {
        self.with(|open| open.held = holds);
    }

    /// What `model` has taken so far, however the request ends.
    pub(crate) fn took(&self, model: &str, usage: Option<Usage>) {
        self.with(|open| {
            open.record.model = Some(model.to_owned()).filter(|model| !model.is_empty());
            open.record.usage = usage;
        });
    }

    /// The request has an answer of `model` that took `usage`.
    pub(crate) fn settle(&self, model: &str, usage: Option<Usage>) {
        self.with(|open| {
            if let (Some(progress), Some(usage)) = (&open.progress, usage) {
                progress.wrote(usage.output_tokens);
            }
        });
        self.close(|record| {
            record.model = Some(model.to_owned()).filter(|model| !model.is_empty());
            record.usage = usage;
        });
    }

    /// The request has failed.
    pub(crate) fn fail(&self, error: &Error) {
        self.with(|open| {
            if let Some(progress) = &open.progress {
                progress.failed(error);
            }
        });
        self.close(|record| record.set_error(error.kind(), &error.to_string()));
    }

    /// Looks at what goes to the client.
    fn see(&self, item: &Result<ChatFrame>) {
        let frame = match item {
            Ok(frame) => frame,
            Err(error) => return self.fail(error),
        };
        self.with(|open| {
            for event in &frame.events {
                match event {
                    ChatEvent::Start(start) if !start.model.is_empty() => {
                        open.record.model = Some(start.model.clone());
                    }
                    ChatEvent::Usage(usage) => open.record.usage = Some(*usage),
                    ChatEvent::Finish(reason) => {
                        open.record.finish_reason = Some(reason.as_str().to_owned());
                    }
                    ChatEvent::Text(text) | ChatEvent::Refusal(text) => open.note_content(text),
                    ChatEvent::Reasoning(delta) => open.note_content(&delta.text),
                    ChatEvent::ToolCall(delta) => open.note_content(&delta.arguments),
                    ChatEvent::Part(_) => open.note_content(""),
                    _ => {}
                }
            }
        });
        if frame.is_last() {
            self.close(|_| {});
        }
    }

    fn with(&self, f: impl FnOnce(&mut Open)) {
        if let Some(open) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            f(open);
        }
    }

    fn close(&self, finish: impl FnOnce(&mut UsageRecord)) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut open) = open {
            finish(&mut open.record);
            open.complete();
            std::mem::take(&mut open.held).settle(&Actual::of(&open.record));
            open.hand_over();
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.fail(&Error::new(
            ErrorKind::Cancelled,
            "the client left before the answer was complete",
        ));
    }
}

/// Waits for the record and hands it to the sinks.
async fn keep(books: Arc<Books>, context: Context, closed: oneshot::Receiver<Closed>) {
    if let Ok(closed) = closed.await {
        keep_now(books, context, closed).await;
    }
}

/// Hands a record to the sinks, all at once: one that waits for a store must not take the others' time. A record that a sink could not keep is
/// written to the log, whole.
async fn keep_now(books: Arc<Books>, context: Context, (mut record, captured): Closed) {
    // Work after the answer, such as a cache's, may have added some.
    record.warnings = context.trail.warnings();
    let record = &record;
    let log = books.log.as_ref();
    let capturing = async {
        if let Some(captured) = captured
            && let Err(error) = captured.keep(record).await
            && let Some(log) = log
        {
            log(&format!(
                "the content of {} was not kept: {error}",
                record.request_id
            ));
        }
    };
    let keeping = join_all(books.sinks.iter().map(|sink| async move {
        let Err(error) = sink.record(record).await else {
            return;
        };
        let Some(log) = log else { return };
        log(&format!(
            "the record of {} was not kept: {error}",
            record.request_id
        ));
        if let Ok(json) = serde_json::to_string(record) {
            log(&json);
        }
    }));
    join(keeping, capturing).await;
}

impl Open {
    fn note_content(&mut self, text: &str) {
        if let Some(captured) = &mut self.captured {
            captured.add(text);
        }
        self.output_tokens = self.output_tokens.saturating_add(estimate_tokens(text));
        if let Some(progress) = &self.progress {
            progress.wrote(self.output_tokens);
        }
        if self.record.time_to_first_token_ms.is_none() {
            self.record.time_to_first_token_ms = Some(self.elapsed());
        }
    }

    fn elapsed(&self) -> u64 {
        let elapsed = self.books.clock.now().since(self.record.time);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// What an answer took that broke off before its vendor told: it has been generated, and is paid for.
    fn estimate(&self) -> Option<Usage> {
        let Outcome::Error(kind) = self.record.outcome else {
            return None;
        };
        let under_way = kind == ErrorKind::Cancelled || self.output_tokens > 0;
        under_way.then(|| Usage::new(self.input_tokens.tokens(), self.output_tokens))
    }

    fn hand_over(self) {
        let Self {
            record,
            context,
            books,
            background,
            done,
            captured,
            ..
        } = self;
        // A background that does not wait has dropped the work that did.
        if let Err(closed) = done.send((record, captured)) {
            background.run(Box::pin(keep_now(books, context, closed)));
        }
    }

    fn complete(&mut self) {
        let latency = self.elapsed();
        let estimate = self.estimate();
        let Self {
            record,
            context,
            books,
            ..
        } = self;
        let trail = &context.trail;
        record.latency_ms = latency;
        record.attempts = trail.attempts();
        record.cache = trail.cache();
        record.guards = trail.guards();
        record.variant = trail.variant().as_deref().map(str::to_owned);
        if record.outcome == Outcome::Ok && record.cache.is_some_and(CacheStatus::is_free) {
            // What the answer took is in the record of the request that it was made for.
            let price = price::of_any(
                &books.prices,
                &record.requested_model,
                record.model.as_deref().unwrap_or_default(),
            );
            record.saved = price.zip(record.usage).map(|(price, usage)| price.of(&usage));
            record.usage = Some(Usage::default());
            record.cost = Some(Money::ZERO);
            return;
        }
        if record.usage.is_none() && !record.attempts.is_empty() {
            record.usage = estimate;
            record.usage_estimated = estimate.is_some();
        }
        if let Some(attempt) = record.attempts.last() {
            record.provider = Some(attempt.provider.clone());
            // A name with a date in an answer is still the model that was asked for, whose price is known.
            let model = record.model.get_or_insert_with(|| attempt.model.clone());
            let price = books
                .prices
                .get(&attempt.provider, &attempt.model)
                .or_else(|| books.prices.get(&attempt.provider, model));
            record.cost = price.zip(record.usage).map(|(price, usage)| price.of(&usage));
        }
    }
}

/// The same stream, metered to its end or to the client's leaving.
pub(crate) fn metered(stream: ChatStream, meter: Meter) -> ChatStream {
    stream.inspect(move |item| meter.see(item))
}

/// A failure that came before there was anything to meter.
pub(crate) fn failed(meter: &Meter, error: Error) -> Error {
    meter.fail(&error);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Attempt, Inline, ManualClock};
    use edge_ai_testkit::memory::MemoryUsageSink;
    use futures_util::{StreamExt, stream};
    use std::time::Duration;

    struct Bench {
        clock: ManualClock,
        sink: Arc<MemoryUsageSink>,
        context: Context,
        meter: Meter,
    }

    fn bench() -> Bench {
        let clock = ManualClock::new(Timestamp::from_millis(1_000));
        let sink = Arc::new(MemoryUsageSink::default());
        let books = Arc::new(Books {
            clock: Arc::new(clock.clone()),
            prices: PriceTable::default(),
            sinks: vec![Arc::clone(&sink) as Arc<dyn UsageSink>],
            log: None,
        });
        let context = Context::default().with_request_id("r");
        context
            .trail
            .add_attempt(Attempt::new("openai", "gpt-4o-mini", None, Duration::ZERO));
        let meter = Meter::start(
            books,
            Arc::new(Inline),
            context.clone(),
            Operation::Chat,
            clock.now(),
        );
        meter.asked("cheap", true);
        meter.expect(Expected::Tokens(1_000));
        Bench {
            clock,
            sink,
            context,
            meter,
        }
    }

    fn frame(event: ChatEvent) -> Result<ChatFrame> {
        Ok(ChatFrame::new(vec![event]))
    }

    #[test]
    fn a_stream_is_recorded_at_its_end() {
        let Bench {
            clock, sink, meter, ..
        } = bench();
        clock.advance(Duration::from_millis(20));
        let frames = vec![
            frame(ChatEvent::Text("hi".into())),
            frame(ChatEvent::Usage(Usage::new(1_000, 500))),
            frame(ChatEvent::Done),
        ];
        let mut stream = metered(ChatStream::new(stream::iter(frames)), meter);
        futures_executor::block_on(async { while stream.next().await.is_some() {} });
        drop(stream);
        let records = sink.records();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].outcome, Outcome::Ok);
        assert_eq!(records[0].time_to_first_token_ms, Some(20));
        assert_eq!(records[0].cost, Some(Money::from_nano_dollars(450_000)));
        assert_eq!(records[0].provider.as_deref(), Some("openai"));
    }

    #[test]
    fn a_client_that_leaves_is_recorded_once() {
        let Bench { sink, meter, .. } = bench();
        let frames = vec![frame(ChatEvent::Text("hi".into())), frame(ChatEvent::Done)];
        let mut stream = metered(ChatStream::new(stream::iter(frames)), meter);
        assert!(futures_executor::block_on(stream.next()).is_some());
        drop(stream);
        let records = sink.records();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].outcome, Outcome::Error(ErrorKind::Cancelled));
        // Two bytes were written, and 1,000 tokens read.
        assert_eq!(records[0].usage, Some(Usage::new(1_000, 1)));
        assert!(records[0].usage_estimated);
        assert_eq!(records[0].cost, Some(Money::from_nano_dollars(150_600)));
    }

    #[test]
    fn what_took_no_call_costs_nothing() {
        use CacheStatus::{Bypass, Coalesced, Hit, Miss, Semantic, Stale};
        for (status, tokens) in [
            (Hit, 0),
            (Stale, 0),
            (Coalesced, 0),
            (Semantic, 0),
            (Miss, 18),
            (Bypass, 18),
        ] {
            let Bench {
                sink, context, meter, ..
            } = bench();
            context.trail.set_cache(status);
            meter.settle("gpt-4o-mini", Some(Usage::new(9, 9)));
            drop(meter);
            let records = sink.records();
            assert_eq!(records.len(), 1);
            assert_eq!(records[0].usage.unwrap().total_tokens(), tokens, "{status}");
            assert_eq!(records[0].cost == Some(Money::ZERO), tokens == 0, "{status}");
            let saved = (tokens == 0).then_some(Money::from_nano_dollars(6_750));
            assert_eq!(records[0].saved, saved, "{status}");
        }
    }
}
