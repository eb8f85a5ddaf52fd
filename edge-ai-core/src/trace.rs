use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Entropy;

mod id;
mod state;

pub use id::{SpanId, TraceId};

/// Where a request stands in a distributed trace: [W3C Trace Context](https://www.w3.org/TR/trace-context-2/).
///
/// ```
/// use edge_ai_core::{SeededEntropy, TraceContext};
///
/// let theirs = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
/// let ours = theirs.child(&SeededEntropy::new(1));
/// assert_eq!(ours.trace_id, theirs.trace_id);
/// assert_eq!(ours.parent_id, Some(theirs.span_id));
/// assert!(ours.is_sampled());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TraceContext {
    /// The trace that all its spans share.
    pub trace_id: TraceId,
    /// The span that is under way.
    pub span_id: SpanId,
    /// The span that caused it, possibly in another program; `None` where the trace begins here or the span is another program's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<SpanId>,
    /// The flags of `traceparent`: bit 0 says that the trace is kept, bit 1 that its identifier is random.
    pub flags: u8,
    /// What tracing systems on the way have added (`tracestate`). It goes with the trace, and into no record.
    #[serde(skip)]
    pub state: Option<Arc<str>>,
}

const SAMPLED: u8 = 1;
const RANDOM: u8 = 2;

impl TraceContext {
    /// Begins a trace.
    pub fn root(entropy: &dyn Entropy, sampled: bool) -> Self {
        Self {
            trace_id: TraceId::random(entropy),
            span_id: SpanId::random(entropy),
            parent_id: None,
            flags: RANDOM | if sampled { SAMPLED } else { 0 },
            state: None,
        }
    }

    /// The span of another program, by the identifiers it gave, as in Cloudflare AI Gateway's `cf-aig-otel-trace-id` and
    /// `cf-aig-otel-parent-span-id`. It counts as kept.
    pub const fn of_parent(trace_id: TraceId, span_id: SpanId) -> Self {
        Self {
            trace_id,
            span_id,
            parent_id: None,
            flags: SAMPLED,
            state: None,
        }
    }

    /// Reads a `traceparent`; `None` for one that the standard tells to ignore, so that a new trace begins.
    ///
    /// A version that is not known yet is read as far as [the standard](https://www.w3.org/TR/trace-context-2/#versioning-of-traceparent)
    /// lets it: by the fields of version 00.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let (head, rest) = traceparent.split_at_checked(LENGTH)?;
        let [version, trace_id, span_id, flags] = fields(head)?;
        let version = byte(version)?;
        let ends_well = match version {
            0 => rest.is_empty(),
            u8::MAX => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        if !ends_well {
            return None;
        }
        Some(Self {
            trace_id: trace_id.parse().ok()?,
            span_id: span_id.parse().ok()?,
            parent_id: None,
            flags: byte(flags)? & (SAMPLED | RANDOM),
            state: None,
        })
    }

    /// Adds a `tracestate`; one that breaks the standard's rules is left out, and the trace goes on without it.
    #[must_use]
    pub fn with_state(self, tracestate: &str) -> Self {
        Self {
            state: state::checked(tracestate).map(Into::into),
            ..self
        }
    }

    /// A span that this one causes.
    #[must_use]
    pub fn child(&self, entropy: &dyn Entropy) -> Self {
        Self {
            span_id: SpanId::random(entropy),
            parent_id: Some(self.span_id),
            ..self.clone()
        }
    }

    /// Whether whoever began the trace keeps it.
    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The header that names this span to whoever is called within it.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl fmt::Display for TraceContext {
    /// As `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent())
    }
}

/// The bytes of `00-<32>-<16>-<2>`.
const LENGTH: usize = 55;

fn fields(head: &str) -> Option<[&str; 4]> {
    let mut parts = head.split('-');
    let fields = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(fields)
}

fn byte(hex: &str) -> Option<u8> {
    id::decode::<1>(hex).map(|[byte]| byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;
    use proptest::prelude::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_what_the_standard_allows_is_read() {
        assert!(TraceContext::parse(VALID).unwrap().is_sampled());
        let later = format!("cc{}-what-comes-later", &VALID[2..]);
        assert!(TraceContext::parse(&later).is_some());
        let wrong = [
            "".to_owned(),
            VALID.to_uppercase(),
            format!("{VALID}-00"),
            format!("ff{}", &VALID[2..]),
            format!("cc{}x", &VALID[2..]),
            VALID.replace('-', "_"),
            VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            VALID.replace("00f067aa0ba902b7", &"0".repeat(16)),
            VALID.replace("00f067aa0ba902b7", "00f067aa0ba902bg"),
            format!(" {}", &VALID[1..]),
        ];
        for wrong in wrong {
            assert_eq!(TraceContext::parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn unknown_flags_do_not_travel_on() {
        let odd = format!("{}ff", &VALID[..53]);
        assert_eq!(TraceContext::parse(&odd).unwrap().flags, 3);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seed in any::<u64>(), sampled: bool) {
            let entropy = SeededEntropy::new(seed);
            let root = TraceContext::root(&entropy, sampled);
            let read = TraceContext::parse(&root.traceparent()).unwrap();
            prop_assert_eq!(&read, &root);
            let child = read.child(&entropy);
            prop_assert_ne!(child.span_id, root.span_id);
            prop_assert_eq!(child.is_sampled(), sampled);
        }

        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), hex in "[0-9a-f-]{0,70}") {
            let _ = TraceContext::parse(&text);
            if let Some(read) = TraceContext::parse(&hex) {
                prop_assert_eq!(&read.traceparent()[3..52], &hex[3..52]);
            }
            let _ = TraceContext::parse(VALID).unwrap().with_state(&text);
        }
    }
}
