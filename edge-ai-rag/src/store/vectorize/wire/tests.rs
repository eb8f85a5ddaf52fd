use edge_ai_core::{
    Comparison, ErrorKind, Filter, Mutation, ReturnMetadata, StoreInfo, VectorQuery, VectorRecord,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::limits;
use super::{
    Search, decode_info, decode_matches, decode_mutation, decode_records, id_batches, record_batches, search,
};

fn options(query: &VectorQuery) -> Value {
    match search(query, None).unwrap() {
        Search::Options(json) => serde_json::from_str(&json).unwrap(),
        Search::Nothing => panic!("nothing to search"),
    }
}

#[test]
fn records_are_plain_json_with_what_they_have() {
    let records = [
        VectorRecord::new("a", vec![0.1, -2.0])
            .namespace("n")
            .metadata("tags", json!(["x"])),
        VectorRecord::new("b", vec![1.0, 0.0]),
    ];
    let batches = record_batches(&records, Some(2)).unwrap();
    let expected = r#"[{"id":"a","values":[0.1,-2.0],"namespace":"n","metadata":{"tags":["x"]}},{"id":"b","values":[1.0,0.0]}]"#;
    assert_eq!(batches, [expected]);
    assert!(record_batches(&[], None).unwrap().is_empty());
}

#[test]
fn a_bad_record_is_named_before_anything_is_sent() {
    let good = || VectorRecord::new("good", vec![1.0, 2.0]);
    let bad = |record: VectorRecord| {
        let error = record_batches(&[good(), record], None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        error.param().unwrap().to_owned()
    };
    assert_eq!(bad(VectorRecord::new("", vec![1.0, 2.0])), "records[1].id");
    assert_eq!(
        bad(VectorRecord::new("é".repeat(33), vec![1.0, 2.0])),
        "records[1].id"
    );
    assert_eq!(bad(VectorRecord::new("b", vec![1.0])), "records[1].values");
    assert_eq!(
        bad(VectorRecord::new("b", vec![1.0, f32::NAN])),
        "records[1].values[1]"
    );
    assert_eq!(bad(good().namespace("n".repeat(65))), "records[1].namespace");
    assert_eq!(
        bad(good().metadata("text", "x".repeat(10_230))),
        "records[1].metadata"
    );
    assert_eq!(bad(good().metadata("a.b", 1)), "records[1].metadata.a.b");
    assert_eq!(
        bad(good().metadata("a", json!({"$b": 1}))),
        "records[1].metadata.a.$b"
    );
    assert_eq!(bad(good().metadata("a", json!([1]))), "records[1].metadata.a");
    let wide = [VectorRecord::new("w", vec![0.0; 1_537])];
    assert_eq!(
        record_batches(&wide, None).unwrap_err().kind(),
        ErrorKind::InvalidRequest
    );
    // `{"text":""}` is 11 bytes.
    assert!(record_batches(&[good().metadata("text", "x".repeat(10_229))], None).is_ok());
}

#[test]
fn options_are_what_the_service_reads() {
    let query = VectorQuery::new(vec![1.0])
        .top_k(50)
        .namespace("n")
        .filter(Filter::new().with("a", Comparison::Eq, 1));
    assert_eq!(
        options(&query),
        json!({"topK": 50, "namespace": "n", "returnValues": false, "returnMetadata": "all", "filter": {"a": {"$eq": 1}}})
    );
    let lean = VectorQuery::new(vec![1.0])
        .top_k(100)
        .return_metadata(ReturnMetadata::Indexed);
    assert_eq!(
        options(&lean),
        json!({"topK": 100, "returnValues": false, "returnMetadata": "indexed"})
    );
    let none = Filter::new().with("a", Comparison::In, json!([]));
    assert_eq!(
        search(&VectorQuery::new(vec![1.0]).filter(none), None).unwrap(),
        Search::Nothing
    );
}

#[test]
fn queries_over_the_limits_are_refused() {
    let kind = |query: VectorQuery| search(&query, Some(1)).unwrap_err().kind();
    let query = || VectorQuery::new(vec![1.0]);
    let lean = || query().return_metadata(ReturnMetadata::None);
    assert_eq!(kind(query().top_k(0)), ErrorKind::InvalidRequest);
    assert_eq!(kind(query().top_k(51)), ErrorKind::Unsupported);
    assert_eq!(kind(lean().top_k(51).return_values()), ErrorKind::Unsupported);
    assert_eq!(kind(lean().top_k(101)), ErrorKind::Unsupported);
    assert_eq!(kind(VectorQuery::new(vec![1.0, 2.0])), ErrorKind::InvalidRequest);
    assert_eq!(
        kind(VectorQuery::new(vec![f32::INFINITY])),
        ErrorKind::InvalidRequest
    );
    assert_eq!(kind(query().namespace("n".repeat(65))), ErrorKind::InvalidRequest);
}

#[test]
fn answers_are_read_as_they_are_documented_and_as_they_come() {
    let found = decode_matches(
        r#"{"count":2,"matches":[{"id":"a","score":0.5,"namespace":"n","values":[0.10000000149011612],"metadata":{"k":1}},{"id":"b","score":-1}]}"#,
    )
    .unwrap();
    assert_eq!(found[0].values, Some(vec![0.1]));
    assert_eq!(
        (found[0].namespace.as_deref(), &found[0].metadata["k"]),
        (Some("n"), &json!(1))
    );
    assert_eq!(
        (
            found[1].score,
            found[1].values.is_none(),
            found[1].metadata.is_empty()
        ),
        (-1.0, true, true)
    );
    assert_eq!(
        decode_records(r#"[{"id":"a","values":[1,2]}]"#).unwrap(),
        [VectorRecord::new("a", vec![1.0, 2.0])]
    );
    assert_eq!(
        decode_mutation(r#"{"mutationId":"m","more":1}"#).unwrap(),
        Mutation::pending("m")
    );
    let info =
        r#"{"vectorCount":3,"dimensions":32,"processedUpToDatetime":null,"processedUpToMutation":"m"}"#;
    assert_eq!(
        decode_info(info).unwrap(),
        StoreInfo::new(3, Some(32), Some("m".into()))
    );
    let bare = decode_info(r#"{"vectorCount":0,"dimensions":0,"processedUpToMutation":null}"#).unwrap();
    assert_eq!(bare, StoreInfo::default());
    assert_eq!(decode_matches("{}").unwrap_err().kind(), ErrorKind::BadUpstream);
}

proptest! {
    #[test]
    fn every_record_is_sent_once_and_of_equal_ids_the_last(ids in prop::collection::vec(0_u16..1_500, 0..3_000)) {
        let records: Vec<VectorRecord> = ids
            .iter()
            .enumerate()
            .map(|(at, id)| VectorRecord::new(id.to_string(), vec![at as f32]))
            .collect();
        let batches = record_batches(&records, None).unwrap();
        let batches: Vec<Vec<VectorRecord>> = batches.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
        prop_assert!(batches.iter().all(|batch| (1..=1_000).contains(&batch.len())));
        let mut sent: Vec<(String, f32)> =
            batches.into_iter().flatten().map(|record| (record.id, record.values[0])).collect();
        let last: std::collections::BTreeMap<String, f32> =
            records.into_iter().map(|record| (record.id, record.values[0])).collect();
        sent.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(sent, last.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn ids_are_cut_to_size_and_none_is_lost(ids in prop::collection::vec("[ab]{1,8}", 0..300), size in prop::sample::select(vec![1, limits::GET, limits::DELETE])) {
        let batches = id_batches(&ids, size);
        prop_assert!(batches.iter().all(|batch| (1..=size).contains(&batch.len())));
        let mut found: Vec<&str> = batches.concat();
        let count = found.len();
        found.sort_unstable();
        found.dedup();
        prop_assert_eq!(found.len(), count);
        let expected: std::collections::BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn no_answer_panics(text in "\\PC{0,80}") {
        let _ = (decode_matches(&text), decode_records(&text), decode_mutation(&text), decode_info(&text));
    }
}

#[test]
fn ids_that_no_record_can_have_are_not_asked_for() {
    assert_eq!(
        id_batches(&[String::new(), "x".repeat(65), "a".into()], 20),
        [["a"]]
    );
}
