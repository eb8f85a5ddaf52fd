use edge_ai_core::{Comparison, Filter};
use serde_json::{Value, json};

use super::KeywordStoreSubject;
use crate::Check;
use crate::case::ensure;

/// Keeps a small library to filter: every text has the word `book`.
async fn library(subject: &KeywordStoreSubject) -> Check {
    let book = |label: &str, lang: &str, year: i32, draft: bool| {
        subject
            .record(label, "book")
            .metadata("lang", lang)
            .metadata("year", year)
            .metadata("draft", draft)
    };
    subject
        .keep([
            book("a", "en", 2019, false).metadata("author", json!({"name": "Ada"})),
            book("b", "de", 2021, true).metadata("author", json!({"name": "Bo"})),
            book("c", "en", 2024, true),
            subject.record("bare", "book"),
        ])
        .await
}

/// Holds the labels that pass a filter to those that should.
async fn passes(subject: &KeywordStoreSubject, filter: Filter, expected: &[&str]) -> Check {
    let labels = subject
        .sorted(subject.query("book").filter(filter.clone()))
        .await?;
    ensure!(
        labels == expected,
        "{:?} lets pass {expected:?}, not {labels:?}",
        filter.conditions
    );
    Ok(())
}

async fn check(subject: &KeywordStoreSubject, cases: &[(&str, Comparison, Value, &[&str])]) -> Check {
    for (field, comparison, value, expected) in cases {
        passes(
            subject,
            Filter::new().with(*field, *comparison, value.clone()),
            expected,
        )
        .await?;
    }
    Ok(())
}

pub(super) async fn equality(subject: KeywordStoreSubject) -> Check {
    library(&subject).await?;
    let cases: [(&str, Comparison, Value, &[&str]); 7] = [
        ("lang", Comparison::Eq, json!("en"), &["a", "c"]),
        ("lang", Comparison::Eq, json!("EN"), &[]),
        ("year", Comparison::Eq, json!(2021), &["b"]),
        ("year", Comparison::Eq, json!(2021.0), &["b"]),
        ("draft", Comparison::Eq, json!(true), &["b", "c"]),
        ("draft", Comparison::Ne, json!(true), &["a", "bare"]),
        ("lang", Comparison::Ne, json!("en"), &["b", "bare"]),
    ];
    check(&subject, &cases).await
}

pub(super) async fn order(subject: KeywordStoreSubject) -> Check {
    library(&subject).await?;
    let cases: [(&str, Comparison, Value, &[&str]); 7] = [
        ("year", Comparison::Lt, json!(2021), &["a"]),
        ("year", Comparison::Lte, json!(2021), &["a", "b"]),
        ("year", Comparison::Gt, json!(2021), &["c"]),
        ("year", Comparison::Gte, json!(2021), &["b", "c"]),
        ("year", Comparison::Gt, json!(2018.5), &["a", "b", "c"]),
        ("lang", Comparison::Lt, json!("en"), &["b"]),
        ("lang", Comparison::Gte, json!("e"), &["a", "c"]),
    ];
    check(&subject, &cases).await
}

pub(super) async fn membership(subject: KeywordStoreSubject) -> Check {
    library(&subject).await?;
    let cases: [(&str, Comparison, Value, &[&str]); 5] = [
        ("lang", Comparison::In, json!(["de", "fr"]), &["b"]),
        ("year", Comparison::In, json!([2019, 2024]), &["a", "c"]),
        ("draft", Comparison::In, json!([false, "en"]), &["a"]),
        ("lang", Comparison::NotIn, json!(["en", "fr"]), &["b", "bare"]),
        (
            "lang",
            Comparison::NotIn,
            json!(Vec::<String>::new()),
            &["a", "b", "bare", "c"],
        ),
    ];
    check(&subject, &cases).await
}

pub(super) async fn missing_fields(subject: KeywordStoreSubject) -> Check {
    library(&subject).await?;
    let cases: [(&str, Comparison, Value, &[&str]); 5] = [
        ("year", Comparison::Eq, json!(null), &["bare"]),
        ("year", Comparison::Ne, json!(null), &["a", "b", "c"]),
        ("year", Comparison::Ne, json!(2019), &["b", "bare", "c"]),
        ("year", Comparison::Lt, json!(9999), &["a", "b", "c"]),
        ("year", Comparison::In, json!([null]), &[]),
    ];
    check(&subject, &cases).await
}

pub(super) async fn nested_fields(subject: KeywordStoreSubject) -> Check {
    library(&subject).await?;
    let cases: [(&str, Comparison, Value, &[&str]); 3] = [
        ("author.name", Comparison::Eq, json!("Ada"), &["a"]),
        ("author.name", Comparison::In, json!(["Ada", "Bo"]), &["a", "b"]),
        ("author.name", Comparison::Ne, json!("Ada"), &["b", "bare", "c"]),
    ];
    check(&subject, &cases).await
}

pub(super) async fn types_are_told_apart(subject: KeywordStoreSubject) -> Check {
    let values = [
        ("false", json!(false)),
        ("list", json!(["1"])),
        ("number", json!(1)),
        ("object", json!({"v": 1})),
        ("text", json!("1")),
        ("true", json!(true)),
    ];
    let records = values.map(|(label, value)| subject.record(label, "book").metadata("v", value));
    subject.keep(records).await?;
    let cases: [(&str, Comparison, Value, &[&str]); 8] = [
        ("v", Comparison::Eq, json!(1), &["number"]),
        ("v", Comparison::Eq, json!("1"), &["text"]),
        ("v", Comparison::Eq, json!(true), &["true"]),
        ("v", Comparison::Eq, json!("[\"1\"]"), &[]),
        ("v", Comparison::In, json!([1, true]), &["number", "true"]),
        ("v", Comparison::Gte, json!(0), &["number"]),
        ("v", Comparison::Lt, json!("2"), &["text"]),
        (
            "v",
            Comparison::Ne,
            json!("1"),
            &["false", "list", "number", "object", "true"],
        ),
    ];
    check(&subject, &cases).await
}

pub(super) async fn every_condition_counts(subject: KeywordStoreSubject) -> Check {
    library(&subject).await?;
    let filter = Filter::new()
        .with("lang", Comparison::Eq, "en")
        .with("draft", Comparison::Eq, true);
    passes(&subject, filter.clone(), &["c"]).await?;
    passes(&subject, filter.with("year", Comparison::Lt, 2020), &[]).await?;
    let between = Filter::new()
        .with("year", Comparison::Gt, 2019)
        .with("year", Comparison::Lt, 2024);
    passes(&subject, between, &["b"]).await?;
    let many = (0..30).fold(Filter::new(), |filter, year| {
        filter.with("year", Comparison::Ne, year)
    });
    passes(&subject, many, &["a", "b", "bare", "c"]).await
}

pub(super) async fn a_filter_comes_before_top_k(subject: KeywordStoreSubject) -> Check {
    let near = (0..8).map(|index| {
        subject
            .record(&format!("near-{index}"), "book")
            .metadata("lang", "en")
    });
    let far = subject
        .record("far", "a book beside many other words")
        .metadata("lang", "de");
    subject.keep(near.chain([far])).await?;
    let filter = Filter::new().with("lang", Comparison::Eq, "de");
    let labels = subject
        .labels(subject.query("book").filter(filter).top_k(1))
        .await?;
    ensure!(
        labels == ["far"],
        "records are filtered before the best are counted, so `far` is found, not {labels:?}"
    );
    Ok(())
}

pub(super) async fn a_long_list_is_one_condition(subject: KeywordStoreSubject) -> Check {
    library(&subject).await?;
    let years: Vec<u32> = (0..2_020).collect();
    let filter = Filter::new().with("year", Comparison::In, json!(years));
    passes(&subject, filter, &["a"]).await?;
    let filter = Filter::new().with("year", Comparison::NotIn, json!(years));
    passes(&subject, filter, &["b", "bare", "c"]).await
}
