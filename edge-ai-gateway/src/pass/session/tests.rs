use std::collections::VecDeque;
use std::sync::Mutex;

use edge_ai_core::{
    Attempt, Inline, ManualClock, Operation, Outcome, Timestamp, UsageRecord, UsageSink, async_trait,
};
use edge_ai_testkit::memory::MemoryUsageSink;
use futures_executor::block_on;

use super::*;
use crate::usage::{Books, PriceTable};

/// An end whose other side says what it is told to, and then nothing.
#[derive(Debug, Default)]
struct Scripted {
    says: Mutex<VecDeque<Result<WebSocketMessage>>>,
    heard: Mutex<Vec<WebSocketMessage>>,
    deaf: bool,
}

#[derive(Clone, Debug)]
struct Handle(Arc<Scripted>);

#[async_trait]
impl WebSocket for Handle {
    async fn receive(&self) -> Result<WebSocketMessage> {
        let next = self.0.says.lock().unwrap().pop_front();
        match next {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }

    async fn send(&self, message: WebSocketMessage) -> Result<()> {
        if self.0.deaf {
            return Err(gone());
        }
        self.0.heard.lock().unwrap().push(message);
        Ok(())
    }
}

impl Handle {
    fn saying(says: impl IntoIterator<Item = Result<WebSocketMessage>>) -> Self {
        Self::of(says, false)
    }

    fn of(says: impl IntoIterator<Item = Result<WebSocketMessage>>, deaf: bool) -> Self {
        Self(Arc::new(Scripted {
            says: Mutex::new(says.into_iter().collect()),
            heard: Mutex::default(),
            deaf,
        }))
    }

    fn heard(&self) -> Vec<WebSocketMessage> {
        self.0.heard.lock().unwrap().clone()
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Interrupted, "gone")
}

fn text(text: &str) -> Result<WebSocketMessage> {
    Ok(WebSocketMessage::Text(text.into()))
}

fn close(code: u16) -> Result<WebSocketMessage> {
    Ok(WebSocketMessage::Close(WebSocketClose::new(code, "why")))
}

const DONE: &str = r#"{"type":"response.done","response":{"usage":{"input_tokens":9,"output_tokens":4,"input_token_details":{}}}}"#;
const BEGUN: &str = r#"{"type":"response.created","response":{"id":"resp_1"}}"#;

/// The record of a conversation between two.
fn talk(client: &Handle, vendor: &Handle) -> UsageRecord {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::jumping(Timestamp::from_millis(0)));
    let sink = Arc::new(MemoryUsageSink::default());
    let books = Arc::new(Books {
        clock: Arc::clone(&clock),
        prices: PriceTable::default(),
        sinks: vec![Arc::clone(&sink) as Arc<dyn UsageSink>],
        log: None,
    });
    let context = Context::default().with_request_id("r");
    let attempt = Attempt::new("openai", "gpt-realtime", None, Duration::ZERO);
    context.trail.add_attempt(attempt);
    let session = Session {
        vendor: Box::new(vendor.clone()),
        tap: UsageTap::of_events(),
        meter: Meter::start(
            books,
            Arc::new(Inline),
            context.clone(),
            Operation::Realtime,
            clock.now(),
        ),
        clock,
        context,
        permit: Permit::default(),
        model: "gpt-realtime".into(),
        tells_errors: true,
    };
    block_on(session.run(Box::new(client.clone())));
    let mut records = sink.records();
    assert_eq!(records.len(), 1);
    records.pop().unwrap()
}

#[test]
fn what_one_says_the_other_hears_and_a_close_keeps_its_code() {
    let client = Handle::saying([
        text("{}"),
        Ok(WebSocketMessage::Binary("\u{1}".into())),
        close(4001),
    ]);
    // What the vendor has said before it closes in its turn still counts.
    let vendor = Handle::saying([text(DONE), text(DONE), close(4001)]);
    let record = talk(&client, &vendor);
    let told = vendor.heard();
    assert_eq!(told.first(), Some(&text("{}").unwrap()));
    assert_eq!(told.last(), Some(&close(4001).unwrap()));
    assert_eq!(record.outcome, Outcome::Ok);
    assert_eq!(record.usage, Some(Usage::new(18, 8)));
    assert!(record.cost.is_some());
}

#[test]
fn a_vendors_close_is_the_clients() {
    for (code, outcome) in [
        (1000, Outcome::Ok),
        (1001, Outcome::Ok),
        (1011, Outcome::Error(ErrorKind::Interrupted)),
        (4000, Outcome::Error(ErrorKind::Interrupted)),
    ] {
        let client = Handle::saying([]);
        let record = talk(&client, &Handle::saying([text(DONE), close(code)]));
        assert_eq!(client.heard().last(), Some(&close(code).unwrap()));
        assert_eq!(record.outcome, outcome, "{code}");
        assert_eq!(record.usage, Some(Usage::new(9, 4)), "{code}");
    }
}

#[test]
fn a_client_is_told_that_the_vendor_is_gone() {
    let client = Handle::saying([]);
    let record = talk(&client, &Handle::saying([text(BEGUN), Err(gone())]));
    let heard = client.heard();
    let WebSocketMessage::Text(event) = &heard[1] else {
        panic!("{heard:?}")
    };
    assert!(event.contains("upstream_disconnected"), "{event}");
    assert!(
        matches!(&heard[2], WebSocketMessage::Close(close) if close.code == Some(1011)),
        "{heard:?}"
    );
    assert_eq!(record.outcome, Outcome::Error(ErrorKind::Interrupted));
    assert_eq!(record.warnings.len(), 1);
}

#[test]
fn a_client_that_is_gone_or_says_too_much_ends_the_vendors_side() {
    let too_much = Error::new(ErrorKind::TooLarge, "too much");
    for (error, kind, told) in [
        (gone(), ErrorKind::Cancelled, None),
        (too_much, ErrorKind::TooLarge, Some(1009)),
    ] {
        let client = Handle::saying([Err(error)]);
        let vendor = Handle::saying([text(DONE)]);
        let record = talk(&client, &vendor);
        assert_eq!(record.outcome, Outcome::Error(kind));
        assert_eq!(record.usage, Some(Usage::new(9, 4)));
        let code = |heard: Vec<WebSocketMessage>| match heard.last() {
            Some(WebSocketMessage::Close(close)) => close.code,
            _ => None,
        };
        assert_eq!(code(vendor.heard()), Some(1001));
        assert_eq!(code(client.heard()), told);
    }
}

#[test]
fn who_takes_no_more_is_heard_out() {
    // The vendor closes while the client still speaks.
    let vendor = Handle::of([close(4000)], true);
    let client = Handle::saying([text("{}")]);
    let record = talk(&client, &vendor);
    assert_eq!(client.heard().last(), Some(&close(4000).unwrap()));
    assert_eq!(record.outcome, Outcome::Error(ErrorKind::Interrupted));
}
