use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Result, UsageRecord};
use serde_json::json;

/// Keeps what was asked and answered, for whoever has to look into it later. Off unless a gateway is [told](crate::GatewayBuilder::capture).
///
/// Each text goes through [`redact`](Self::redact) and is then cut to [`max_bytes`](Self::max_bytes). A request with `cf-aig-collect-log: false` is not kept; its
/// usage record is, for limits and bills hang on it and it has no content. What is kept is deleted by the store: set a lifecycle rule for the bucket.
#[derive(Clone)]
pub struct Capture {
    store: Arc<dyn CaptureStore>,
    redact: Arc<dyn Fn(&str) -> String + Send + Sync>,
    max_bytes: usize,
}

/// Where captures are kept: R2.
#[async_trait]
pub trait CaptureStore: fmt::Debug + Send + Sync + 'static {
    /// Keeps a JSON document under a request's identifier.
    ///
    /// # Errors
    /// When the store fails. The gateway's log is told.
    async fn keep(&self, request_id: &str, document: Bytes) -> Result<()>;
}

impl Capture {
    /// The most bytes of a request, and of an answer, that are kept by default.
    pub const DEFAULT_MAX_BYTES: usize = 64 << 10;

    /// Keeps captures in `store`, as they are.
    pub fn new(store: impl CaptureStore) -> Self {
        Self {
            store: Arc::new(store),
            redact: Arc::new(str::to_owned),
            max_bytes: Self::DEFAULT_MAX_BYTES,
        }
    }

    /// Sends each text through `redact` before it is kept. A request is the JSON that the client has sent.
    #[must_use]
    pub fn redact(self, redact: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self {
            redact: Arc::new(redact),
            ..self
        }
    }

    /// Sets the most bytes of a request, and of an answer, that are kept.
    #[must_use]
    pub fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Redacted first: half a secret at the cut would not be known for one.
    fn clean(&self, text: &str) -> String {
        let mut clean = (self.redact)(text);
        clean.truncate(clean.floor_char_boundary(self.max_bytes));
        clean
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("store", &self.store)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

/// What is beyond the cut, for a secret that lies across it.
const SLACK: usize = 4 << 10;

/// One request's capture on its way.
#[derive(Debug)]
pub(super) struct Captured {
    capture: Arc<Capture>,
    request: String,
    answer: String,
}

impl Captured {
    pub(super) fn new(capture: &Arc<Capture>, request: &Bytes) -> Self {
        let most = capture.max_bytes.saturating_add(SLACK);
        let request = request.get(..most).unwrap_or(request);
        Self {
            request: String::from_utf8_lossy(request).into_owned(),
            answer: String::new(),
            capture: Arc::clone(capture),
        }
    }

    pub(super) fn add(&mut self, text: &str) {
        if self.answer.len() < self.capture.max_bytes.saturating_add(SLACK) {
            self.answer.push_str(text);
        }
    }

    pub(super) async fn keep(self, record: &UsageRecord) -> Result<()> {
        let document = json!({
            "request_id": record.request_id,
            "time_ms": record.time.as_millis(),
            "tenant": record.tenant,
            "model": record.requested_model,
            "outcome": record.outcome.as_str(),
            "request": self.capture.clean(&self.request),
            "answer": self.capture.clean(&self.answer),
        });
        let document = Bytes::from(document.to_string());
        self.capture.store.keep(&record.request_id, document).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Operation, Timestamp};
    use std::sync::Mutex;

    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<Vec<Bytes>>>);

    #[async_trait]
    impl CaptureStore for Kept {
        async fn keep(&self, _: &str, document: Bytes) -> Result<()> {
            self.0.lock().unwrap().push(document);
            Ok(())
        }
    }

    #[test]
    fn texts_are_redacted_and_then_cut() {
        let kept = Kept::default();
        let capture = Capture::new(kept.clone())
            .max_bytes(10)
            .redact(|text| text.replace("sk-secret", "[key]"));
        let mut captured = Captured::new(&Arc::new(capture), &Bytes::from_static(b"12345678sk-secret"));
        for _ in 0..10_000 {
            captured.add("\u{e9}\u{e9}\u{e9}");
        }
        assert!(captured.answer.len() < 5_000);
        let record = UsageRecord::new("r", Timestamp::default(), Operation::Chat, "m");
        futures_executor::block_on(captured.keep(&record)).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&kept.0.lock().unwrap()[0]).unwrap();
        assert_eq!(document["request"], "12345678[k");
        assert_eq!(document["answer"].as_str().unwrap().len(), 10);
    }
}
