use edge_ai_core::{ReturnMetadata, VectorQuery, VectorRecord};

use super::VectorStoreSubject;
use crate::Check;
use crate::case::ensure;

const COUNT: usize = 12;

/// Records `0` to `11`, with the nearest to `query` first.
fn records(subject: &VectorStoreSubject) -> Vec<VectorRecord> {
    let query = subject.vector("query");
    let score = |record: &VectorRecord| subject.score(&query, &record.values);
    let mut records: Vec<_> = (0..COUNT)
        .map(|index| subject.record(&index.to_string()))
        .collect();
    records.sort_by(|a, b| subject.metric().order(score(a), score(b)));
    records
}

pub(super) async fn an_empty_namespace_has_no_match(subject: VectorStoreSubject) -> Check {
    subject.keep([subject.record("elsewhere")]).await?;
    let found = subject
        .find(subject.near("elsewhere").namespace(subject.namespace("empty")))
        .await?;
    ensure!(
        found.is_empty(),
        "where there are no records there is no match, not {found:?}"
    );
    Ok(())
}

pub(super) async fn matches_come_nearest_first(subject: VectorStoreSubject) -> Check {
    let records = records(&subject);
    subject.keep(records.iter().rev().cloned()).await?;
    let found = subject.find(subject.near("query").top_k(COUNT)).await?;
    let expected: Vec<_> = records.iter().map(|record| &record.id).collect();
    let ids: Vec<_> = found.iter().map(|found| &found.id).collect();
    ensure!(
        ids == expected,
        "matches come nearest first: {expected:?}, not {ids:?}"
    );
    let ordered = found.is_sorted_by(|a, b| subject.metric().order(a.score, b.score).is_le());
    ensure!(
        ordered,
        "scores are in the metric's order, not {:?}",
        found.iter().map(|m| m.score).collect::<Vec<_>>()
    );
    Ok(())
}

pub(super) async fn scores_are_those_of_the_metric(subject: VectorStoreSubject) -> Check {
    let records = records(&subject);
    subject.keep(records.clone()).await?;
    let query = subject.vector("query");
    // With values, a store that approximates scores exactly.
    for found in subject
        .find(subject.near("query").top_k(COUNT).return_values())
        .await?
    {
        let values = found.values.as_deref().unwrap_or_default();
        let expected = subject.score(&query, values);
        let near = (found.score - expected).abs() <= 1e-4 * (1.0 + expected.abs());
        ensure!(
            near,
            "the score of {} by {:?} is {expected}, not {}",
            found.id,
            subject.metric(),
            found.score
        );
    }
    Ok(())
}

pub(super) async fn there_are_at_most_top_k_matches(subject: VectorStoreSubject) -> Check {
    let records = records(&subject);
    subject.keep(records.clone()).await?;
    for top_k in [1, 3, COUNT, COUNT + 5] {
        let found = subject.find(subject.near("query").top_k(top_k)).await?;
        let ids: Vec<_> = found.iter().map(|found| &found.id).collect();
        let expected: Vec<_> = records.iter().take(top_k).map(|record| &record.id).collect();
        ensure!(
            ids == expected,
            "a top_k of {top_k} gives the {} nearest, {expected:?}, not {ids:?}",
            expected.len()
        );
    }
    Ok(())
}

pub(super) async fn a_namespace_keeps_records_apart(subject: VectorStoreSubject) -> Check {
    let there = subject.namespace("there");
    let nowhere = VectorRecord::new(subject.id("nowhere"), subject.vector("a"));
    let away = VectorRecord::new(subject.id("away"), subject.vector("a")).namespace(there.clone());
    subject
        .keep([subject.record("a"), subject.record("b"), away, nowhere])
        .await?;
    let mut labels = subject.labels(subject.near("a").top_k(10)).await?;
    labels.sort_unstable();
    ensure!(
        labels == ["a", "b"],
        "a query in a namespace finds its records only, not {labels:?}"
    );
    let labels = subject.labels(subject.near("a").namespace(there)).await?;
    ensure!(
        labels == ["away"],
        "a query in another namespace finds that one's, not {labels:?}"
    );
    Ok(())
}

pub(super) async fn without_a_namespace_all_are_searched(subject: VectorStoreSubject) -> Check {
    let nowhere = VectorRecord::new(subject.id("nowhere"), subject.vector("a"));
    let away =
        VectorRecord::new(subject.id("away"), subject.vector("a")).namespace(subject.namespace("there"));
    subject.keep([subject.record("a"), away, nowhere]).await?;
    let labels = subject
        .labels(VectorQuery::new(subject.vector("a")).top_k(20))
        .await?;
    for label in ["a", "away", "nowhere"] {
        let there = labels.iter().any(|found| found == label);
        ensure!(
            there,
            "a query without a namespace looks everywhere: `{label}` is not in {labels:?}"
        );
    }
    Ok(())
}

pub(super) async fn a_replaced_vector_is_found_at_its_new_place(subject: VectorStoreSubject) -> Check {
    subject.keep([subject.record("a"), subject.record("b")]).await?;
    let moved: Vec<f32> = subject.vector("a").iter().map(|value| -value).collect();
    subject
        .keep([VectorRecord::new(subject.id("a"), moved.clone()).namespace(subject.namespace(""))])
        .await?;
    let found = subject.find(subject.near("a").top_k(5).return_values()).await?;
    let expected = subject.score(&subject.vector("a"), &moved);
    let score = found
        .iter()
        .find(|found| found.id == subject.id("a"))
        .map(|found| found.score);
    let near = score.is_some_and(|score| (score - expected).abs() <= 1e-3 * (1.0 + expected.abs()));
    ensure!(
        near,
        "a replaced vector scores by its new values, {expected}, not {score:?}"
    );
    Ok(())
}

pub(super) async fn values_come_only_when_asked_for(subject: VectorStoreSubject) -> Check {
    subject.keep([subject.record("a")]).await?;
    for found in subject.find(subject.near("a")).await? {
        ensure!(
            found.values.is_none(),
            "a match carries its vector only when asked to"
        );
    }
    let found = subject.find(subject.near("a").return_values()).await?;
    let values = found.first().and_then(|found| found.values.clone());
    ensure!(
        values == Some(subject.vector("a")),
        "a match carries its vector when asked to, not {values:?}"
    );
    Ok(())
}

pub(super) async fn metadata_comes_as_far_as_asked_for(subject: VectorStoreSubject) -> Check {
    let record = subject
        .record("a")
        .metadata("lang", "en")
        .metadata("year", 2024)
        .metadata("note", "not indexed");
    subject.keep([record.clone()]).await?;
    let metadata = async |which| {
        let found = subject.find(subject.near("a").return_metadata(which)).await?;
        Ok(found.into_iter().next().map(|found| found.metadata))
    };
    let all = metadata(ReturnMetadata::All).await?;
    ensure!(
        all.as_ref() == Some(&record.metadata),
        "`All` brings all metadata, not {all:?}"
    );
    let none = metadata(ReturnMetadata::None).await?;
    ensure!(
        none.as_ref().is_some_and(edge_ai_core::JsonObject::is_empty),
        "`None` brings no metadata, not {none:?}"
    );
    let indexed = metadata(ReturnMetadata::Indexed).await?.unwrap_or_default();
    let known = indexed
        .iter()
        .all(|(field, value)| record.metadata.get(field) == Some(value));
    ensure!(
        known,
        "`Indexed` brings fields of the record and no others, not {indexed:?}"
    );
    let filtered = indexed.contains_key("lang") && indexed.contains_key("year");
    ensure!(
        filtered,
        "`Indexed` brings the fields that can be filtered by, not {indexed:?}"
    );
    Ok(())
}

pub(super) async fn a_match_tells_its_namespace(subject: VectorStoreSubject) -> Check {
    let nowhere = VectorRecord::new(subject.id("nowhere"), subject.vector("b"));
    subject.keep([subject.record("a"), nowhere]).await?;
    let found = subject.find(subject.near("a")).await?;
    let namespace = found.first().and_then(|found| found.namespace.clone());
    ensure!(
        namespace == Some(subject.namespace("")),
        "a match tells its namespace, not {namespace:?}"
    );
    let found = subject
        .find(VectorQuery::new(subject.vector("b")).top_k(20))
        .await?;
    let namespace = found
        .iter()
        .find(|found| found.id == subject.id("nowhere"))
        .map(|found| &found.namespace);
    ensure!(
        namespace == Some(&None),
        "a match of no namespace tells none, not {namespace:?}"
    );
    Ok(())
}
