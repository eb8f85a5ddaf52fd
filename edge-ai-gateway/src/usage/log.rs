use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result, UsageRecord, UsageSink};

/// Writes one line to wherever logs go.
pub type LogLine = Arc<dyn Fn(&str) + Send + Sync>;

/// Writes each record as one line of JSON: what Workers Logs and `wrangler tail` take apart into fields.
#[derive(Clone)]
pub struct JsonLog(LogLine);

impl JsonLog {
    /// Writes with `line`.
    pub fn new(line: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(line))
    }

    /// Writes to the Worker's console.
    #[cfg(feature = "worker")]
    pub fn console() -> Self {
        Self::new(|line| edge_ai_worker::log(edge_ai_worker::Level::Info, line))
    }
}

impl fmt::Debug for JsonLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonLog")
    }
}

#[async_trait]
impl UsageSink for JsonLog {
    async fn record(&self, record: &UsageRecord) -> Result<()> {
        let line = serde_json::to_string(record).map_err(|error| {
            Error::new(ErrorKind::Internal, "a record cannot be written").with_source(error)
        })?;
        (self.0)(&line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Operation, Timestamp};
    use std::sync::Mutex;

    #[test]
    fn a_record_is_one_line() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&lines);
        let log = JsonLog::new(move |line| written.lock().unwrap().push(line.to_owned()));
        let record = UsageRecord::new("r\n1", Timestamp::from_millis(1), Operation::Chat, "m");
        futures_executor::block_on(log.record(&record)).unwrap();
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 1);
        assert!(!lines[0].contains('\n'));
        assert_eq!(serde_json::from_str::<UsageRecord>(&lines[0]).unwrap(), record);
    }
}
