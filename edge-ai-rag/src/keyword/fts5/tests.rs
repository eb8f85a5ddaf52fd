use edge_ai_core::{Comparison, ErrorKind, Filter, KeywordMatch, KeywordQuery, KeywordRecord, KeywordStore};
use edge_ai_testkit::contract::keyword_store::{KeywordStoreSubject, cases};
use edge_ai_testkit::sqlite::Sqlite;
use futures_executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Fts5Store, Tokenizer};

fn store() -> (Fts5Store, Sqlite) {
    let database = Sqlite::new(&[Fts5Store::MIGRATION]);
    (Fts5Store::new(database.clone()), database)
}

#[test]
fn keeps_the_contract_with_both_tokenizers() {
    let words = || KeywordStoreSubject::new(store().0);
    let only_trigrams = ["parts_of_words_are_found", "scripts_without_spaces_are_searched"];
    block_on(edge_ai_testkit::run(cases(), words)).assert_passed_but(&only_trigrams);
    let trigrams = || {
        let database = Sqlite::new(&[Fts5Store::TRIGRAM_MIGRATION]);
        let store = Fts5Store::new(database).tokenizer(Tokenizer::Trigram);
        KeywordStoreSubject::new(store).with_trigrams()
    };
    let only_words = [
        "words_are_found_by_their_stems",
        "a_question_of_stop_words_is_answered",
    ];
    block_on(edge_ai_testkit::run(cases(), trigrams)).assert_passed_but(&only_words);
}

#[test]
fn the_index_can_be_made_again_from_the_texts() {
    let (store, database) = store();
    let record = KeywordRecord::new("a", "an unmistakable sentence").namespace("n");
    block_on(store.upsert(vec![record])).unwrap();
    database.execute("DROP TABLE keyword_index");
    database.execute(Fts5Store::MIGRATION);
    database.execute("INSERT INTO keyword_index (keyword_index) VALUES ('rebuild')");
    let query = KeywordQuery::new("unmistakable").namespace("n");
    assert_eq!(found(&store, &query).len(), 1);
}

#[test]
fn a_call_is_few_statements_and_a_long_one_is_split() {
    let (store, database) = store();
    let records = |count: usize, words: usize| {
        (0..count)
            .map(|at| KeywordRecord::new(format!("{at}"), "word ".repeat(words)))
            .collect()
    };
    block_on(store.upsert(records(1_000, 10))).unwrap();
    assert_eq!(database.batches(), 1);
    block_on(store.upsert(records(30, 20_000))).unwrap();
    assert_eq!(database.batches(), 1 + 4);
    assert_eq!(block_on(store.count()).unwrap(), 1_000);
}

#[test]
fn what_cannot_be_kept_or_asked_names_its_field() {
    let (store, _) = store();
    let long = vec![
        KeywordRecord::new("a", "x"),
        KeywordRecord::new("b", "word ".repeat(400_000)),
    ];
    let error = block_on(store.upsert(long)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("records[1].text"), "{error}");
    assert_eq!(block_on(store.count()).unwrap(), 0);

    let ask = |filter| block_on(store.search(KeywordQuery::new("x").filter(filter)));
    let refused = [
        Filter::new().with("a\"b", Comparison::Eq, 1),
        Filter::new().with("a..b", Comparison::Eq, 1),
        Filter::new().with("", Comparison::Eq, 1),
        Filter::new().with("a", Comparison::Eq, json!([1])),
        Filter::new().with("a", Comparison::In, 1),
        Filter::new().with("a", Comparison::In, json!([[1]])),
        (0..41).fold(Filter::new(), |filter, at| filter.with("a", Comparison::Ne, at)),
    ];
    for filter in refused {
        assert_eq!(ask(filter).unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
    let most = (0..40).fold(Filter::new(), |filter, at| filter.with("a", Comparison::Ne, at));
    assert!(ask(most).is_ok());
}

#[test]
fn a_database_without_the_tables_or_out_of_order_says_so() {
    let database = Sqlite::new(&[]);
    let store = Fts5Store::new(database);
    assert!(block_on(store.count()).is_err());
    let error = block_on(store.search(KeywordQuery::new("x"))).unwrap_err();
    assert!(error.to_string().contains("keyword_index"), "{error}");
}

fn found(store: &Fts5Store, query: &KeywordQuery) -> Vec<KeywordMatch> {
    block_on(store.search(query.clone())).unwrap()
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(0_u8..6, 0..8).prop_map(|words| {
        let words: Vec<_> = words.into_iter().map(|word| format!("word{word}")).collect();
        words.join(" ")
    })
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3_i32..3).prop_map(Value::from),
        (-6_i32..6).prop_map(|half| Value::from(f64::from(half) / 2.0)),
        "[a-b1\u{e9}]{0,2}".prop_map(Value::from),
    ]
}

fn stored() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        1 => prop::collection::vec(scalar(), 0..2).prop_map(Value::from),
        1 => scalar().prop_map(|value| json!({"b": value})),
    ]
}

fn condition() -> impl Strategy<Value = (&'static str, Comparison, Value)> {
    let field = || prop::sample::select(vec!["a", "a.b", "c"]);
    let single = prop::sample::select(vec![
        Comparison::Eq,
        Comparison::Ne,
        Comparison::Lt,
        Comparison::Lte,
        Comparison::Gt,
        Comparison::Gte,
    ]);
    let several = prop::sample::select(vec![Comparison::In, Comparison::NotIn]);
    prop_oneof![
        (field(), single, scalar()),
        (
            field(),
            several,
            prop::collection::vec(scalar(), 0..4).prop_map(Value::from)
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What was replaced or deleted leaves no trace: scores are those of a store that never had it.
    #[test]
    fn a_history_ranks_as_its_outcome(
        steps in prop::collection::vec((0_u8..6, prop::option::of(text())), 1..20),
        asked in text(),
    ) {
        let (lived, _) = store();
        let mut left = std::collections::BTreeMap::new();
        for (id, text) in steps {
            let id = id.to_string();
            match text {
                Some(text) => {
                    block_on(lived.upsert(vec![KeywordRecord::new(id.clone(), text.clone())])).unwrap();
                    left.insert(id, text);
                }
                None => {
                    block_on(lived.delete(std::slice::from_ref(&id))).unwrap();
                    left.remove(&id);
                }
            }
        }
        let (fresh, _) = store();
        block_on(fresh.upsert(left.iter().map(|(id, text)| KeywordRecord::new(id.clone(), text.clone())).collect())).unwrap();
        let query = KeywordQuery::new(asked);
        prop_assert_eq!(found(&lived, &query), found(&fresh, &query));
        prop_assert_eq!(block_on(lived.count()).unwrap(), left.len() as u64);
    }

    /// SQL lets pass what `Filter::matches` does.
    #[test]
    fn filters_mean_the_same_in_sql(
        metadata in prop::collection::vec((prop::option::of(stored()), prop::option::of(stored())), 1..6),
        conditions in prop::collection::vec(condition(), 1..4),
    ) {
        let (store, _) = store();
        let filter = conditions
            .into_iter()
            .fold(Filter::new(), |filter, (field, comparison, value)| filter.with(field, comparison, value));
        let records: Vec<_> = metadata
            .into_iter()
            .enumerate()
            .map(|(at, (a, c))| {
                let mut record = KeywordRecord::new(at.to_string(), "word");
                record.metadata.extend(a.map(|a| ("a".to_owned(), a)));
                record.metadata.extend(c.map(|c| ("c".to_owned(), c)));
                record
            })
            .collect();
        block_on(store.upsert(records.clone())).unwrap();
        let mut passed: Vec<_> = found(&store, &KeywordQuery::new("word").filter(filter.clone())).into_iter().map(|found| found.id).collect();
        passed.sort();
        let expected: Vec<_> = records.into_iter().filter(|record| filter.matches(&record.metadata)).map(|record| record.id).collect();
        prop_assert_eq!(passed, expected);
    }

    #[test]
    fn no_text_fails(text in any::<String>(), all in any::<bool>()) {
        let (words, _) = store();
        let trigrams = Fts5Store::new(Sqlite::new(&[Fts5Store::TRIGRAM_MIGRATION])).tokenizer(Tokenizer::Trigram);
        let mut query = KeywordQuery::new(text);
        if all {
            query.mode = edge_ai_core::KeywordMode::All;
        }
        found(&words, &query);
        found(&trigrams, &query);
    }
}
