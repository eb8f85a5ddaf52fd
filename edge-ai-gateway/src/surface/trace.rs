use edge_ai_core::{Entropy, SpanId, TraceContext, TraceId};
use http::HeaderMap;

use crate::usage::Sampling;

/// The request's span: in the trace that the client names, else in a new one.
///
/// `traceparent` and `tracestate` come first, then Cloudflare AI Gateway's `cf-aig-otel-trace-id` and `cf-aig-otel-parent-span-id`. What does not
/// read is passed over, as [the standard](https://www.w3.org/TR/trace-context-2/#a-traceparent-is-received) asks: a trace must not fail a request.
pub(crate) fn span(headers: &HeaderMap, entropy: &dyn Entropy, sampling: Sampling) -> TraceContext {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    if let Some(theirs) = text("traceparent").and_then(TraceContext::parse) {
        let theirs = match text("tracestate") {
            Some(state) => theirs.with_state(state),
            None => theirs,
        };
        return theirs.child(entropy);
    }
    if let Some(trace) = text("cf-aig-otel-trace-id").and_then(|id| id.parse::<TraceId>().ok()) {
        let parent = text("cf-aig-otel-parent-span-id").and_then(|id| id.parse::<SpanId>().ok());
        return match parent {
            Some(parent) => TraceContext::of_parent(trace, parent).child(entropy),
            None => TraceContext::of_parent(trace, SpanId::random(entropy)),
        };
    }
    sampling.root(entropy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::SeededEntropy;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn read(headers: &[(&'static str, &str)]) -> TraceContext {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        span(&headers, &SeededEntropy::new(7), Sampling::default())
    }

    #[test]
    fn a_client_names_the_trace_in_the_standard_way_or_in_cloudflares() {
        let parent = format!("00-{TRACE}-{SPAN}-00");
        let standard = read(&[
            ("traceparent", &parent),
            ("tracestate", "a=1"),
            ("cf-aig-otel-trace-id", &"1".repeat(32)),
        ]);
        assert_eq!(standard.trace_id.to_string(), TRACE);
        assert_eq!(standard.parent_id.unwrap().to_string(), SPAN);
        assert_eq!(standard.state.as_deref(), Some("a=1"));
        assert!(!standard.is_sampled());
        let theirs = read(&[
            ("cf-aig-otel-trace-id", TRACE),
            ("cf-aig-otel-parent-span-id", SPAN),
        ]);
        assert_eq!(
            (theirs.trace_id, theirs.parent_id),
            (standard.trace_id, standard.parent_id)
        );
        assert!(theirs.is_sampled());
        assert_eq!(read(&[("cf-aig-otel-trace-id", TRACE)]).parent_id, None);
    }

    #[test]
    fn nonsense_begins_a_new_trace() {
        let fresh = read(&[
            ("traceparent", "00-0-0-0"),
            ("tracestate", "a=1"),
            ("cf-aig-otel-trace-id", "x"),
        ]);
        assert_eq!((fresh.parent_id, fresh.state.as_deref()), (None, None));
        assert!(fresh.is_sampled());
    }
}
