use edge_ai_core::{Comparison, Filter};
use serde_json::{Value, json};

use super::VectorStoreSubject;
use crate::Check;
use crate::case::ensure;

/// Keeps a small library to filter.
async fn library(subject: &VectorStoreSubject) -> Check {
    let book = |label: &str, lang: &str, year: i32, draft: bool| {
        subject
            .record(label)
            .metadata("lang", lang)
            .metadata("year", year)
            .metadata("draft", draft)
    };
    subject
        .keep([
            book("a", "en", 2019, false).metadata("author", json!({"name": "Ada"})),
            book("b", "de", 2021, true).metadata("author", json!({"name": "Bo"})),
            book("c", "en", 2024, true),
            subject.record("bare"),
        ])
        .await
}

/// Holds the labels that pass a filter to those that should.
async fn passes(subject: &VectorStoreSubject, filter: Filter, expected: &[&str]) -> Check {
    let mut labels = subject
        .labels(subject.near("a").filter(filter.clone()).top_k(10))
        .await?;
    labels.sort_unstable();
    ensure!(
        labels == expected,
        "{:?} lets pass {expected:?}, not {labels:?}",
        filter.conditions
    );
    Ok(())
}

async fn check(subject: VectorStoreSubject, cases: &[(&str, Comparison, Value, &[&str])]) -> Check {
    library(&subject).await?;
    for (field, comparison, value, expected) in cases {
        passes(
            &subject,
            Filter::new().with(*field, *comparison, value.clone()),
            expected,
        )
        .await?;
    }
    Ok(())
}

pub(super) async fn equality(subject: VectorStoreSubject) -> Check {
    let cases: [(&str, Comparison, Value, &[&str]); 6] = [
        ("lang", Comparison::Eq, json!("en"), &["a", "c"]),
        ("lang", Comparison::Eq, json!("EN"), &[]),
        ("year", Comparison::Eq, json!(2021), &["b"]),
        ("year", Comparison::Eq, json!(2021.0), &["b"]),
        ("draft", Comparison::Eq, json!(true), &["b", "c"]),
        ("lang", Comparison::Ne, json!("en"), &["b", "bare"]),
    ];
    check(subject, &cases).await
}

pub(super) async fn order(subject: VectorStoreSubject) -> Check {
    let cases: [(&str, Comparison, Value, &[&str]); 7] = [
        ("year", Comparison::Lt, json!(2021), &["a"]),
        ("year", Comparison::Lte, json!(2021), &["a", "b"]),
        ("year", Comparison::Gt, json!(2021), &["c"]),
        ("year", Comparison::Gte, json!(2021), &["b", "c"]),
        ("year", Comparison::Gt, json!(2018.5), &["a", "b", "c"]),
        ("lang", Comparison::Lt, json!("en"), &["b"]),
        ("lang", Comparison::Gte, json!("e"), &["a", "c"]),
    ];
    check(subject, &cases).await
}

pub(super) async fn membership(subject: VectorStoreSubject) -> Check {
    let cases: [(&str, Comparison, Value, &[&str]); 3] = [
        ("lang", Comparison::In, json!(["de", "fr"]), &["b"]),
        ("year", Comparison::In, json!([2019, 2024]), &["a", "c"]),
        ("lang", Comparison::NotIn, json!(["en", "fr"]), &["b", "bare"]),
    ];
    check(subject, &cases).await
}

pub(super) async fn missing_fields(subject: VectorStoreSubject) -> Check {
    let cases: [(&str, Comparison, Value, &[&str]); 4] = [
        ("year", Comparison::Eq, json!(null), &["bare"]),
        ("year", Comparison::Ne, json!(null), &["a", "b", "c"]),
        ("year", Comparison::Ne, json!(2019), &["b", "bare", "c"]),
        ("year", Comparison::Lt, json!(9999), &["a", "b", "c"]),
    ];
    check(subject, &cases).await
}

pub(super) async fn nested_fields(subject: VectorStoreSubject) -> Check {
    let cases: [(&str, Comparison, Value, &[&str]); 3] = [
        ("author.name", Comparison::Eq, json!("Ada"), &["a"]),
        ("author.name", Comparison::In, json!(["Ada", "Bo"]), &["a", "b"]),
        ("author.name", Comparison::Ne, json!("Ada"), &["b", "bare", "c"]),
    ];
    check(subject, &cases).await
}

pub(super) async fn all_conditions_count(subject: VectorStoreSubject) -> Check {
    library(&subject).await?;
    let filter = Filter::new()
        .with("lang", Comparison::Eq, "en")
        .with("draft", Comparison::Eq, true);
    passes(&subject, filter.clone(), &["c"]).await?;
    passes(&subject, filter.with("year", Comparison::Lt, 2020), &[]).await
}

pub(super) async fn every_condition_on_one_field_counts(subject: VectorStoreSubject) -> Check {
    library(&subject).await?;
    let between = Filter::new()
        .with("year", Comparison::Gt, 2019)
        .with("year", Comparison::Lt, 2024);
    passes(&subject, between.clone(), &["b"]).await?;
    passes(&subject, between.with("year", Comparison::Gte, 2022), &[]).await?;
    let prefix = Filter::new()
        .with("lang", Comparison::Gte, "e")
        .with("lang", Comparison::Lt, "f");
    passes(&subject, prefix, &["a", "c"]).await
}

pub(super) async fn a_filter_comes_before_top_k(subject: VectorStoreSubject) -> Check {
    let near = (0..8).map(|index| {
        let mut record = subject.record(&format!("near-{index}")).metadata("lang", "en");
        record.values = subject.vector("query");
        record
    });
    let far = subject.record("far").metadata("lang", "de");
    subject.keep(near.chain([far])).await?;
    let filter = Filter::new().with("lang", Comparison::Eq, "de");
    let labels = subject
        .labels(subject.near("query").filter(filter).top_k(1))
        .await?;
    ensure!(
        labels == ["far"],
        "records are filtered before the nearest are counted, so `far` is found, not {labels:?}"
    );
    Ok(())
}

pub(super) async fn a_filter_stays_within_its_namespace(subject: VectorStoreSubject) -> Check {
    let away = subject
        .record("away")
        .namespace(subject.namespace("there"))
        .metadata("lang", "de");
    subject.keep([away]).await?;
    library(&subject).await?;
    passes(&subject, Filter::new().with("lang", Comparison::Eq, "de"), &["b"]).await
}
