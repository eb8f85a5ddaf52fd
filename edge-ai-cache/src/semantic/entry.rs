use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{ChatResponse, SemanticLesson, Timestamp};
use serde::{Deserialize, Serialize};

use super::Evidence;

/// What is kept of an answer, beside its question's vector.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// When the model was asked, when the answer was learned, and until when it is good: milliseconds.
    asked: u64,
    made: u64,
    pub(super) until: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Evidence::is_empty")]
    pub(super) evidence: Evidence,
    answer: ChatResponse,
}

impl Entry {
    pub(super) fn new(lesson: &SemanticLesson, now: Timestamp, ttl: Duration) -> Self {
        Self {
            asked: lesson.asked.as_millis(),
            made: now.as_millis(),
            until: (now + ttl).as_millis(),
            tags: lesson.tags.clone(),
            evidence: Evidence::default(),
            answer: lesson.answer.clone(),
        }
    }

    pub(super) fn write(&self) -> serde_json::Result<Bytes> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    pub(super) fn read(kept: &Bytes) -> serde_json::Result<Self> {
        serde_json::from_slice(kept)
    }

    /// How long it is good still.
    pub(super) fn left(&self, now: Timestamp) -> Duration {
        Timestamp::from_millis(self.until).since(now)
    }

    pub(super) fn age(&self, now: Timestamp) -> Duration {
        now.since(Timestamp::from_millis(self.made))
    }

    pub(super) fn into_lesson(self) -> SemanticLesson {
        SemanticLesson::new(self.answer, Timestamp::from_millis(self.asked), self.tags)
    }
}
