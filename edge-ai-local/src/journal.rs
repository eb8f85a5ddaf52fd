//! What was asked of the stand-in, so that a test can prove that it was, or was not.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::clock::rfc3339;

/// Requests kept.
const KEPT: usize = 1000;
/// Bytes of a body kept.
const BODY: usize = 64 * 1024;
/// Characters of a header's value kept.
const HEADER: usize = 1024;
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "x-api-key",
    "api-key",
    "cookie",
    "cf-aig-authorization",
    "proxy-authorization",
    "x-amz-security-token",
];

/// The last requests, newest last.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    records: Mutex<VecDeque<Arc<Record>>>,
}

/// One request and how it went.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) surface: &'static str,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) model: Option<String>,
    pub(crate) stream: bool,
    pub(crate) headers: Map<String, Value>,
    pub(crate) body: Bytes,
    pub(crate) body_truncated: bool,
    pub(crate) at_ms: u64,
    pub(crate) fault: Option<String>,
    status: AtomicU16,
    frames: AtomicU64,
    finished: AtomicBool,
    aborted: AtomicBool,
    broken: AtomicBool,
}

impl Record {
    pub(crate) fn new(id: u64, surface: &'static str) -> Self {
        Self {
            id,
            surface,
            method: String::new(),
            path: String::new(),
            model: None,
            stream: false,
            headers: Map::new(),
            body: Bytes::new(),
            body_truncated: false,
            at_ms: 0,
            fault: None,
            status: AtomicU16::new(0),
            frames: AtomicU64::new(0),
            finished: AtomicBool::new(false),
            aborted: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        }
    }

    /// Keeps a copy of the body's beginning.
    pub(crate) fn keep_body(&mut self, body: &Bytes) {
        self.body_truncated = body.len() > BODY;
        self.body = Bytes::copy_from_slice(body.get(..BODY).unwrap_or(body));
    }

    /// Keeps the headers; of a secret only its scheme and last four characters.
    pub(crate) fn keep_headers(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            let text = String::from_utf8_lossy(value.as_bytes());
            let text = if SECRET_HEADERS.contains(&name.as_str()) {
                redact(&text)
            } else {
                text.into_owned()
            };
            self.headers.insert(
                name.as_str().to_owned(),
                crate::generate::text::shorten(&text, HEADER).into(),
            );
        }
    }

    fn to_json(&self) -> Value {
        let status = self.status.load(Ordering::Relaxed);
        let (aborted, finished) = (
            self.aborted.load(Ordering::Relaxed),
            self.finished.load(Ordering::Relaxed),
        );
        let outcome = match (aborted, finished, self.broken.load(Ordering::Relaxed)) {
            (true, _, _) => "aborted",
            (_, _, true) => "broken",
            (_, true, _) => "answered",
            _ => "pending",
        };
        let body = serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()));
        json!({
            "id": self.id, "surface": self.surface, "method": self.method, "path": self.path, "model": self.model,
            "stream": self.stream, "headers": self.headers, "body": body, "body_truncated": self.body_truncated,
            "at": rfc3339(self.at_ms), "fault": self.fault, "status": (status != 0).then_some(status),
            "frames": self.frames.load(Ordering::Relaxed), "outcome": outcome, "aborted": aborted,
        })
    }
}

impl Journal {
    pub(crate) fn begin(&self, record: Record) -> Ticket {
        let record = Arc::new(record);
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() == KEPT {
            records.pop_front();
        }
        records.push_back(Arc::clone(&record));
        Ticket { record }
    }

    pub(crate) fn list(&self) -> Vec<Value> {
        let records: Vec<_> = self
            .records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect();
        records.iter().map(|record| record.to_json()).collect()
    }

    pub(crate) fn clear(&self) {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// Follows one request until its answer is sent; dropped before that, the client has gone away.
#[derive(Debug)]
pub(crate) struct Ticket {
    record: Arc<Record>,
}

impl Ticket {
    /// A ticket for an answer that is not kept.
    pub(crate) fn untracked() -> Self {
        Self {
            record: Arc::new(Record::new(0, "")),
        }
    }

    pub(crate) fn status(&self, status: u16) {
        self.record.status.store(status, Ordering::Relaxed);
    }

    /// A piece of the body is on its way.
    pub(crate) fn sent(&self) {
        self.record.frames.fetch_add(1, Ordering::Relaxed);
    }

    /// A fault broke the answer off.
    pub(crate) fn broken(&self) {
        self.record.broken.store(true, Ordering::Relaxed);
    }

    pub(crate) fn settle(self) {
        self.settle_ref();
    }

    pub(crate) fn settle_ref(&self) {
        self.record.finished.store(true, Ordering::Relaxed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.record.finished.load(Ordering::Relaxed) {
            self.record.aborted.store(true, Ordering::Relaxed);
        }
    }
}

fn redact(secret: &str) -> String {
    let (scheme, key) = secret
        .split_once(' ')
        .map_or(("", secret), |(scheme, key)| (scheme, key));
    let shown: String = if key.chars().count() > 8 {
        key.chars().skip(key.chars().count() - 4).collect()
    } else {
        String::new()
    };
    format!("{scheme} …{shown}").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_dropped_early_is_an_abort() {
        let journal = Journal::default();
        journal.begin(Record::new(1, "openai")).settle();
        drop(journal.begin(Record::new(2, "openai")));
        let list = journal.list();
        assert_eq!(
            (&list[0]["outcome"], &list[0]["aborted"]),
            (&json!("answered"), &json!(false))
        );
        assert_eq!(
            (&list[1]["outcome"], &list[1]["aborted"]),
            (&json!("aborted"), &json!(true))
        );
        journal.clear();
        assert!(journal.list().is_empty());
    }

    #[test]
    fn it_is_bounded_and_keeps_no_secret() {
        let journal = Journal::default();
        for id in 0..=KEPT as u64 {
            let mut record = Record::new(id, "openai");
            record.headers.insert(
                "authorization".into(),
                redact("Bearer sk-very-secret-1234").into(),
            );
            record.keep_body(&vec![b'x'; if id == 0 { 0 } else { 2 }].into());
            journal.begin(record).settle();
        }
        let list = journal.list();
        assert_eq!((list.len(), &list[0]["id"]), (KEPT, &json!(1)));
        assert_eq!(list[0]["headers"]["authorization"], "Bearer …1234");
        assert_eq!(redact("short"), "…");
    }
}
