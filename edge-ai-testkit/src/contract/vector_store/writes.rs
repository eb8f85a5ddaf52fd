use edge_ai_core::{Mutation, VectorQuery, VectorRecord};
use serde_json::json;

use super::VectorStoreSubject;
use crate::case::ensure;
use crate::{Check, Must};

pub(super) async fn what_was_kept_is_got(subject: VectorStoreSubject) -> Check {
    let full = subject
        .record("full")
        .metadata("title", "Ünïcode \"quoted\" キー\n")
        .metadata("year", 2024)
        .metadata("score", 0.5)
        .metadata("draft", true)
        .metadata("author", json!({"name": "Ada", "tags": ["x", "y"]}));
    let bare = VectorRecord::new(subject.id("bare"), subject.vector("bare"));
    subject.keep([full.clone(), bare.clone()]).await?;
    let found = subject.one("full").await?;
    ensure!(
        found == full,
        "a record is got as it was kept: {full:?}, not {found:?}"
    );
    let found = subject.one("bare").await?;
    ensure!(
        found == bare,
        "a record without namespace and metadata has none: {bare:?}, not {found:?}"
    );
    Ok(())
}

pub(super) async fn values_are_kept_as_they_are(subject: VectorStoreSubject) -> Check {
    let mut record = subject.record("odd");
    let odd = [0.1, -0.0, 1.0e-30, 3.402_823e38];
    record
        .values
        .iter_mut()
        .zip(odd)
        .for_each(|(value, odd)| *value = odd);
    subject.keep([record.clone()]).await?;
    let values = subject.one("odd").await?.values;
    ensure!(
        values == record.values,
        "values are kept as 32-bit floats: {:?}, not {values:?}",
        record.values
    );
    Ok(())
}

pub(super) async fn an_upsert_replaces_the_whole_record(subject: VectorStoreSubject) -> Check {
    let first = subject
        .record("a")
        .metadata("lang", "en")
        .metadata("only_first", 1);
    subject.keep([first]).await?;
    let second = VectorRecord::new(subject.id("a"), subject.vector("other")).metadata("lang", "de");
    subject.keep([second.clone()]).await?;
    let found = subject.one("a").await?;
    ensure!(
        found == second,
        "an upsert replaces vector, namespace and metadata: {second:?}, not {found:?}"
    );
    Ok(())
}

pub(super) async fn of_equal_ids_in_one_call_the_last_counts(subject: VectorStoreSubject) -> Check {
    let versions = (0..3).map(|version| {
        let vector = subject.vector(&version.to_string());
        VectorRecord::new(subject.id("a"), vector)
            .namespace(subject.namespace(""))
            .metadata("version", version)
    });
    subject.keep(versions).await?;
    let found = subject.one("a").await?;
    let last = found.metadata.get("version") == Some(&json!(2)) && found.values == subject.vector("2");
    ensure!(
        last,
        "of records with the same id in one call the last counts, not {found:?}"
    );
    let matches = subject.find(subject.near("2").top_k(10)).await?.len();
    ensure!(
        matches == 1,
        "an id names one record, but it matches {matches} times"
    );
    Ok(())
}

pub(super) async fn unknown_ids_are_left_out(subject: VectorStoreSubject) -> Check {
    subject.keep([subject.record("a"), subject.record("b")]).await?;
    let found = subject.get(&["a", "unknown", "b"]).await?;
    let ids: Vec<_> = found.iter().map(|record| record.id.as_str()).collect();
    ensure!(
        ids == [subject.id("a"), subject.id("b")],
        "unknown ids are left out of `get`, not answered as {ids:?}"
    );
    ensure!(
        subject.get(&["unknown"]).await?.is_empty(),
        "`get` of only unknown ids answers none"
    );
    Ok(())
}

pub(super) async fn a_deleted_record_is_gone(subject: VectorStoreSubject) -> Check {
    subject
        .keep([subject.record("gone"), subject.record("kept")])
        .await?;
    subject.delete(&[subject.id("gone")]).await?;
    ensure!(
        subject.get(&["gone"]).await?.is_empty(),
        "a deleted record is not got"
    );
    let labels = subject.labels(subject.near("gone").top_k(10)).await?;
    ensure!(
        labels == ["kept"],
        "a deleted record does not match, and others do: [\"kept\"], not {labels:?}"
    );
    Ok(())
}

pub(super) async fn deleting_an_unknown_id_is_fine(subject: VectorStoreSubject) -> Check {
    subject.keep([subject.record("kept")]).await?;
    subject
        .delete(&[subject.id("unknown"), subject.id("unknown")])
        .await?;
    subject.one("kept").await.map(drop)
}

pub(super) async fn a_deleted_id_can_be_used_again(subject: VectorStoreSubject) -> Check {
    let labels = ["a", "b", "c", "d"];
    subject.keep(labels.map(|label| subject.record(label))).await?;
    subject.delete(&[subject.id("b"), subject.id("d")]).await?;
    let again = VectorRecord::new(subject.id("b"), subject.vector("new")).namespace(subject.namespace(""));
    subject.keep([again.clone(), subject.record("e")]).await?;
    let found = subject.one("b").await?;
    ensure!(
        found == again,
        "a deleted id can be used again: {again:?}, not {found:?}"
    );
    let mut found = subject.labels(subject.near("new").top_k(10)).await?;
    found.sort_unstable();
    ensure!(
        found == ["a", "b", "c", "e"],
        "after deletes and upserts just those records match, not {found:?}"
    );
    Ok(())
}

pub(super) async fn no_service_cap_reaches_the_caller(subject: VectorStoreSubject) -> Check {
    let labels: Vec<String> = (0..1_203).map(|index| index.to_string()).collect();
    let ids: Vec<String> = labels.iter().map(|label| subject.id(label)).collect();
    subject
        .keep(labels.iter().map(|label| subject.record(label)))
        .await?;
    let known = |ids: Vec<String>| {
        let store = std::sync::Arc::clone(&subject.store);
        async move {
            Ok(store
                .get(&ids)
                .await
                .must("`get` answers for any number of ids")?
                .len())
        }
    };
    let found = known(ids.clone()).await?;
    ensure!(
        found == ids.len(),
        "all of {} records kept in one call are got in one call, not {found}",
        ids.len()
    );
    subject.delete(&ids).await?;
    let found = known(ids).await?;
    ensure!(
        found == 0,
        "all records deleted in one call are gone, but {found} are there"
    );
    Ok(())
}

pub(super) async fn nothing_to_do_is_fine(subject: VectorStoreSubject) -> Check {
    for mutation in [
        subject
            .store
            .upsert(Vec::new())
            .await
            .must("an upsert of no records is fine")?,
        subject
            .store
            .delete(&[])
            .await
            .must("a delete of no ids is fine")?,
    ] {
        ensure!(
            mutation == Mutation::VISIBLE,
            "where nothing was written there is nothing to wait for"
        );
    }
    let found = subject.store.get(&[]).await.must("a get of no ids is fine")?;
    ensure!(found.is_empty(), "`get` of no ids answers none");
    Ok(())
}

pub(super) async fn a_mutation_says_whether_to_wait(subject: VectorStoreSubject) -> Check {
    let mutation = subject
        .store
        .upsert(vec![subject.record("a")])
        .await
        .must("`upsert` keeps valid records")?;
    let immediate = subject.store.capabilities().immediate;
    ensure!(
        mutation.id.is_none() == immediate,
        "a store that says immediate = {immediate} answers so to a write, not {mutation:?}"
    );
    subject.visible(&mutation).await?;
    subject.one("a").await?;
    let query = VectorQuery::new(subject.vector("a")).namespace(subject.namespace(""));
    ensure!(
        !subject.find(query).await?.is_empty(),
        "a write that was waited for is visible to `query` as to `get`"
    );
    Ok(())
}

pub(super) async fn info_counts_the_records(subject: VectorStoreSubject) -> Check {
    subject.keep([subject.record("before")]).await?;
    let before = subject.store.info().await.must("`info` tells the state")?;
    ensure!(before.count > 0, "a record that is visible is counted");
    let dimensions = subject.dimensions;
    ensure!(
        before.dimensions == Some(dimensions),
        "`info` tells the length, {dimensions}, not {:?}",
        before.dimensions
    );
    subject
        .keep([subject.record("a"), subject.record("b"), subject.record("before")])
        .await?;
    let after = subject.store.info().await.must("`info` tells the state")?.count;
    ensure!(
        after == before.count + 2,
        "two new records and a known one count as two, not {after} after {}",
        before.count
    );
    subject.delete(&[subject.id("a"), subject.id("unknown")]).await?;
    let last = subject.store.info().await.must("`info` tells the state")?.count;
    ensure!(
        last == before.count + 1,
        "a deleted record is no longer counted: {last} after {after}"
    );
    Ok(())
}
