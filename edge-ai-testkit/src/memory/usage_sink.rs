use std::sync::{Arc, Mutex, PoisonError};

use edge_ai_core::{Error, Result, UsageRecord, UsageSink, async_trait};

/// Keeps accounts in memory, for a test to read. Its clones share them.
///
/// ```
/// use edge_ai_core::{Operation, Timestamp, UsageRecord, UsageSink};
/// use edge_ai_testkit::memory::MemoryUsageSink;
///
/// # futures_executor::block_on(async {
/// let sink = MemoryUsageSink::new();
/// sink.record(&UsageRecord::new("request-1", Timestamp::default(), Operation::Chat, "smart")).await?;
/// assert_eq!(sink.records()[0].requested_model, "smart");
/// # Ok::<(), edge_ai_core::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryUsageSink(Arc<Mutex<Accounts>>);

#[derive(Debug, Default)]
struct Accounts {
    records: Vec<UsageRecord>,
    failure: Option<Error>,
}

impl MemoryUsageSink {
    /// An empty sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// A sink that fails every time; what it is given is still to be read.
    pub fn failing(error: Error) -> Self {
        Self(Arc::new(Mutex::new(Accounts {
            records: Vec::new(),
            failure: Some(error),
        })))
    }

    /// Everything it was given, in order.
    pub fn records(&self) -> Vec<UsageRecord> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .records
            .clone()
    }

    /// Everything it was given since the last time it was taken, in order.
    pub fn take(&self) -> Vec<UsageRecord> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).records)
    }
}

#[async_trait]
impl UsageSink for MemoryUsageSink {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.records.push(record.clone());
        accounts.failure.clone().map_or(Ok(()), Err)
    }
}
