use super::*;
use edge_ai_core::{
    Attempt, CacheStatus, ManualClock, Money, Operation, SeededEntropy, Timestamp, TraceContext, Usage,
};
use edge_ai_testkit::scripted::{ScriptedHttpClient, ScriptedResponse};
use futures_executor::block_on;
use std::time::Duration;

fn record() -> UsageRecord {
    let entropy = SeededEntropy::new(1);
    let trace = TraceContext::root(&entropy, true);
    let mut record = UsageRecord::new("req_1", Timestamp::from_millis(1_000), Operation::Chat, "smart");
    let failed = Attempt::new(
        "mistral",
        "a",
        Some(ErrorKind::Unavailable),
        Duration::from_millis(30),
    )
    .with_message("overloaded")
    .with_start(Timestamp::from_millis(1_005), Some(trace.child(&entropy).span_id));
    let worked = Attempt::new("openai", "b", None, Duration::from_millis(40))
        .with_start(Timestamp::from_millis(1_050), Some(trace.child(&entropy).span_id));
    record.attempts = vec![failed, worked];
    record.provider = Some("openai".into());
    record.model = Some("b".into());
    record.usage = Some(Usage::new(100, 20));
    record.cost = Some(Money::from_nano_dollars(2_500));
    record.latency_ms = 250;
    record.time_to_first_token_ms = Some(80);
    record.finish_reason = Some("stop".into());
    record.trace = Some(trace);
    record
}

#[test]
fn a_request_and_its_calls_are_spans_of_one_trace() {
    let record = record();
    let spans = traces::spans(&record, false);
    assert_eq!(spans.len(), 3);
    let [request, failed, worked] = spans.as_slice() else {
        panic!("{spans:?}")
    };
    assert_eq!((&request["kind"], &failed["kind"]), (&json!(2), &json!(3)));
    for call in [failed, worked] {
        assert_eq!(call["parentSpanId"], request["spanId"]);
        assert_eq!(call["traceId"], request["traceId"]);
    }
    assert_eq!(request["name"], "chat smart");
    assert_eq!(request["endTimeUnixNano"], "1250000000");
    assert_eq!(failed["endTimeUnixNano"], "1035000000");
    assert_eq!(worked["endTimeUnixNano"], request["endTimeUnixNano"]);
    assert_eq!(failed["status"]["message"], "overloaded");
    assert!(failed["attributes"].to_string().contains("mistral_ai"));
    assert!(request.get("parentSpanId").is_none() && request.get("status").is_none());
}

#[test]
fn an_answer_from_a_cache_is_a_span_of_its_own() {
    let mut record = record();
    record.cache = Some(CacheStatus::Hit);
    record.attempts.clear();
    let spans = traces::spans(&record, false);
    assert_eq!(spans[1]["name"], "cache");
    assert_eq!(spans, traces::spans(&record, false));
}

#[test]
fn what_is_not_sampled_is_counted_but_not_traced() {
    let mut record = record();
    record.trace.as_mut().unwrap().flags = 0;
    assert!(traces::spans(&record, false).is_empty());
    assert!(!metrics::metrics(&[record], false).is_empty());
}

#[test]
fn names_are_those_of_the_conventions_that_were_chosen() {
    let names = |latest| -> Vec<String> {
        let metrics = metrics::metrics(&[record()], latest);
        metrics
            .iter()
            .map(|metric| metric["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(false)[..2],
        [
            "gen_ai.client.operation.duration",
            "gen_ai.client.operation.time_to_first_chunk"
        ]
    );
    assert!(names(true).contains(&"gen_ai.client.inference.operation.input_tokens".to_owned()));
    let metrics = metrics::metrics(&[record()], true);
    let point = &metrics[0]["histogram"]["dataPoints"][0];
    // 0.25 s is between 0.16 and 0.32.
    assert_eq!(point["bucketCounts"][5], "1");
    assert_eq!(
        point["bucketCounts"].as_array().unwrap().len(),
        point["explicitBounds"].as_array().unwrap().len() + 1
    );
}

fn exporter(http: ScriptedHttpClient) -> OtlpExporter {
    OtlpExporter::new(http, ManualClock::default(), "http://collector/otlp/").unwrap()
}

#[test]
fn both_signals_go_out_with_the_headers() {
    let http = ScriptedHttpClient::new()
        .respond(ScriptedResponse::json(200, &()))
        .respond(ScriptedResponse::json(200, &()));
    let exporter = exporter(http.clone()).headers("x-key=a%2Cb, x-team = c").unwrap();
    block_on(exporter.record(&record())).unwrap();
    let sent = http.requests();
    let paths: Vec<&str> = sent.iter().map(|request| request.uri().path()).collect();
    assert_eq!(paths, ["/otlp/v1/traces", "/otlp/v1/metrics"]);
    assert_eq!(sent[0].headers()["x-key"], "a,b");
    assert_eq!(sent[1].headers()["x-team"], "c");
}

#[test]
fn only_what_may_pass_is_tried_again() {
    for (status, again) in [(429, true), (503, true), (400, false), (401, false), (500, false)] {
        let http = ScriptedHttpClient::new().respond(ScriptedResponse::json(status, &()));
        let error = block_on(exporter(http).record(&record())).unwrap_err();
        assert_eq!(error.is_retryable(), again, "{status}");
    }
}

#[test]
fn a_wrong_setting_is_told_without_its_value() {
    assert!(
        OtlpExporter::new(
            ScriptedHttpClient::new(),
            ManualClock::default(),
            "collector:4318"
        )
        .is_err()
    );
    let error = exporter(ScriptedHttpClient::new())
        .headers("good=1,secret")
        .unwrap_err();
    assert!(
        error.message().contains("entry 2") && !error.message().contains("secret"),
        "{error}"
    );
}
