use edge_ai_core::{Error, ErrorKind, Result, UsageRecord};
use sha2::{Digest, Sha256};

use super::civil;

/// The object that keeps some records: its name, and a line of JSON for each of them.
///
/// The name is that of the hour of the first record (UTC, in the manner of Hive, which query engines understand), and of what is in it: the same records
/// give the same object, however often they are written.
pub(super) fn object(prefix: &str, records: &[UsageRecord]) -> Result<(String, Vec<u8>)> {
    let mut lines = Vec::new();
    let mut digest = Sha256::new();
    let mut ids: Vec<&str> = records.iter().map(|record| record.request_id.as_str()).collect();
    ids.sort_unstable();
    for id in &ids {
        digest.update(id);
        digest.update("\n");
    }
    for record in records {
        serde_json::to_writer(&mut lines, record).map_err(|error| {
            Error::new(ErrorKind::Internal, "a record cannot be written").with_source(error)
        })?;
        lines.push(b'\n');
    }
    let hours = records
        .iter()
        .map(|record| record.time.as_secs() / 3_600)
        .min()
        .unwrap_or_default();
    let (year, month, day) = civil(hours / 24);
    let name = match ids.as_slice() {
        [one] => (*one).to_owned(),
        _ => {
            use std::fmt::Write as _;
            let mut name = String::from("batch_");
            for byte in digest.finalize().iter().take(16) {
                let _ = write!(name, "{byte:02x}");
            }
            name
        }
    };
    let key = format!(
        "{prefix}date={year:04}-{month:02}-{day:02}/hour={:02}/{name}.ndjson",
        hours % 24
    );
    Ok((key, lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Operation, Timestamp};

    fn record(id: &str, secs: u64) -> UsageRecord {
        UsageRecord::new(id, Timestamp::from_millis(secs * 1_000), Operation::Chat, "m")
    }

    #[test]
    fn objects_are_by_hour_and_the_same_for_the_same_records() {
        let (a, b) = (record("r1", 1_774_267_199), record("r2", 1_774_267_200));
        let (key, lines) = object("usage/", std::slice::from_ref(&a)).unwrap();
        assert_eq!(key, "usage/date=2026-03-23/hour=11/r1.ndjson");
        assert_eq!(
            serde_json::from_slice::<UsageRecord>(lines.trim_ascii_end()).unwrap(),
            a
        );
        let (one, _) = object("", &[a.clone(), b.clone()]).unwrap();
        let (other, lines) = object("", &[b, a]).unwrap();
        assert_eq!(one, other);
        assert!(one.starts_with("date=2026-03-23/hour=11/batch_"), "{one}");
        assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 2);
    }
}
