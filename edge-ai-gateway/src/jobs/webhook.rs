use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use edge_ai_core::{Clock, HttpClient, Secret};
use hmac::{Hmac, Mac};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::shown::rfc3339;
use super::state::Status;

/// Somebody who wants to be told of a job's end, as [Standard Webhooks](https://www.standardwebhooks.com) have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) attempts: u32,
    next_ms: Option<u64>,
    begun: bool,
    pub(crate) delivered_ms: Option<u64>,
    pub(crate) error: Option<String>,
}

/// Waits between attempts: the schedule that Standard Webhooks recommends
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability>).
const WAITS: [u64; 8] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000];

impl Hook {
    pub(crate) const fn new(url: String) -> Self {
        Self {
            url,
            attempts: 0,
            next_ms: None,
            begun: false,
            delivered_ms: None,
            error: None,
        }
    }

    /// There is something to tell, from now on.
    pub(crate) const fn begin(&mut self, now_ms: u64) {
        if !self.begun {
            self.begun = true;
            self.next_ms = Some(now_ms);
        }
    }

    pub(crate) const fn next_ms(&self) -> Option<u64> {
        self.next_ms
    }

    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        self.next_ms.is_some_and(|at| at <= now_ms)
    }

    /// It was sent.
    pub(crate) fn sent(&mut self, outcome: Result<(), Refusal>, now_ms: u64) {
        let wait = usize::try_from(self.attempts).ok().and_then(|at| WAITS.get(at));
        self.attempts = self.attempts.saturating_add(1);
        match outcome {
            Ok(()) => {
                self.next_ms = None;
                self.delivered_ms = Some(now_ms);
                self.error = None;
            }
            Err(refusal) => {
                let again = wait.filter(|_| !refusal.lasting);
                self.next_ms = again.map(|seconds| now_ms.saturating_add(seconds * 1_000));
                self.error = Some(refusal.message);
            }
        }
    }
}

/// Why a webhook was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    message: String,
    lasting: bool,
}

impl Refusal {
    pub(crate) fn lasting(message: &str) -> Self {
        Self {
            message: message.to_owned(),
            lasting: true,
        }
    }
}

/// What is told.
pub(crate) struct Event {
    id: String,
    seconds: u64,
    body: String,
}

/// How long somebody may take to say that they have it.
const PATIENCE: Duration = Duration::from_secs(20);

impl Event {
    pub(crate) fn new(job: &str, status: Status, now_ms: u64, data: Value) -> Self {
        let kind = match status {
            Status::Completed => "job.completed",
            Status::Cancelled => "job.cancelled",
            _ => "job.failed",
        };
        let body = json!({ "type": kind, "timestamp": rfc3339(now_ms), "data": data });
        Self {
            // The same for each attempt, so that who gets it twice can tell.
            id: format!("msg_{job}"),
            seconds: now_ms / 1_000,
            body: body.to_string(),
        }
    }

    pub(crate) async fn send(
        self,
        clock: &dyn Clock,
        http: &dyn HttpClient,
        hook: &Hook,
        key: &[u8],
    ) -> Result<(), Refusal> {
        let failed = |message: String| Refusal {
            message,
            lasting: false,
        };
        let request = Request::post(&hook.url)
            .header("content-type", "application/json")
            .header("user-agent", "edge-ai-webhooks")
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", self.seconds)
            .header("webhook-signature", self.signature(key))
            .body(Bytes::from(self.body))
            .map_err(|_| Refusal::lasting("the address does not read"))?;
        let sending = edge_ai_core::timeout(clock, PATIENCE, http.send(request));
        match sending.await {
            Ok(response) if response.status().is_success() => Ok(()),
            // The receiver wants no more.
            Ok(response) if response.status() == http::StatusCode::GONE => {
                Err(Refusal::lasting("it answered 410"))
            }
            Ok(response) => Err(failed(format!("it answered {}", response.status().as_u16()))),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn signature(&self, key: &[u8]) -> String {
        let signed = mac(
            key,
            &[
                self.id.as_bytes(),
                b".",
                self.seconds.to_string().as_bytes(),
                b".",
                self.body.as_bytes(),
            ],
        );
        format!("v1,{}", BASE64_STANDARD.encode(signed))
    }
}

/// A tenant's key, from the operator's secret: who knows it can forge no webhook for another tenant.
pub(crate) fn tenant_key(secret: &Secret, tenant: Option<&str>) -> [u8; 32] {
    mac(
        secret.expose().as_bytes(),
        &[b"webhook\0", tenant.unwrap_or_default().as_bytes()],
    )
}

/// The key as libraries of Standard Webhooks take it.
pub(crate) fn told_key(key: &[u8]) -> String {
    format!("whsec_{}", BASE64_STANDARD.encode(key))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut padded = [0; 64];
    // Any length is a key; hashing what is longer than a block is what HMAC itself does.
    let short: [u8; 32];
    let key = if key.len() > padded.len() {
        short = <Sha256 as sha2::Digest>::digest(key).into();
        &short[..]
    } else {
        key
    };
    padded.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&padded.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
