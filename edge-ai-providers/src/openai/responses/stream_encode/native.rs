use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use edge_ai_core::SseDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::openai::Count;

/// The frames of a vendor's stream that say where it is. They are kept as they are and looked at only when something else goes on from them.
#[derive(Debug, Default)]
pub(super) struct Native {
    marks: Vec<Bytes>,
    last: Bytes,
}

/// Where a vendor's stream has stopped.
#[derive(Debug, Default)]
pub(super) struct SoFar {
    pub(super) id: String,
    pub(super) next_event: u64,
    /// By their places; `None` for one that is open.
    pub(super) items: Vec<Option<Vec<u8>>>,
    /// Those that are open, as they began.
    pub(super) open: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mark<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    sequence_number: Count,
    output_index: Count,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    response: Option<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    id: String,
}

impl Native {
    /// Passes a frame by.
    pub(super) fn follow(&mut self, frame: &Bytes) {
        const MARKS: [&[u8]; 2] = [b"event: response.created", b"event: response.output_item."];
        if MARKS.iter().any(|mark| frame.starts_with(mark)) {
            self.marks.push(frame.clone());
        }
        self.last = frame.clone();
    }

    /// Where the stream is; `None` before its beginning.
    pub(super) fn read(&self) -> Option<SoFar> {
        /// More items than any answer has: a place beyond is not followed.
        const MOST: usize = 4_096;
        if self.last.is_empty() {
            return None;
        }
        let mut so_far = SoFar::default();
        let mut open = BTreeMap::new();
        for frame in self.marks.iter().chain([&self.last]) {
            let data = data(frame);
            let Ok(mark) = serde_json::from_str::<Mark<'_>>(&data) else {
                continue;
            };
            so_far.next_event = so_far.next_event.max(mark.sequence_number.0.saturating_add(1));
            if let Some(named) = mark.response
                && so_far.id.is_empty()
            {
                so_far.id = named.id;
            }
            let index = usize::try_from(mark.output_index.0).unwrap_or(usize::MAX);
            let Some(item) = mark.item.filter(|_| index < MOST) else {
                continue;
            };
            let item = item.get().as_bytes().to_vec();
            if so_far.items.len() <= index {
                so_far.items.resize(index + 1, None);
            }
            if mark.kind == "response.output_item.done" {
                open.remove(&index);
                if let Some(place) = so_far.items.get_mut(index) {
                    *place = Some(item);
                }
            } else {
                open.insert(index, item);
            }
        }
        so_far.open = open.into_iter().collect();
        Some(so_far)
    }
}

/// The data of a frame.
fn data(frame: &Bytes) -> String {
    let events = SseDecoder::new().push(frame.clone()).unwrap_or_default();
    events.into_iter().map(|event| event.data).collect()
}
