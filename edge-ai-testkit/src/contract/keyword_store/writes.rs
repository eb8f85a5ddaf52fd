use edge_ai_core::{Comparison, ErrorKind, Filter, KeywordRecord};

use super::KeywordStoreSubject;
use crate::case::ensure;
use crate::contract::fails_with;
use crate::{Check, Must};

pub(super) async fn a_kept_record_is_found_by_its_words(subject: KeywordStoreSubject) -> Check {
    let records = [
        subject.record("a", "a turbine in the valley"),
        subject.record("b", "a lighthouse"),
    ];
    subject.keep(records).await?;
    for (word, label) in [("turbine", "a"), ("valley", "a"), ("lighthouse", "b")] {
        let found = subject.labels(subject.query(word)).await?;
        ensure!(found == [label], "`{word}` finds {label:?}, not {found:?}");
    }
    Ok(())
}

pub(super) async fn an_upsert_replaces_the_whole_record(subject: KeywordStoreSubject) -> Check {
    let old = subject
        .record("a", "turbine")
        .title("Engines")
        .metadata("lang", "en");
    subject.keep([old]).await?;
    subject.keep([subject.record("a", "lighthouse")]).await?;
    for gone in ["turbine", "engines"] {
        let found = subject.labels(subject.query(gone)).await?;
        ensure!(
            found.is_empty(),
            "a word of the replaced record finds nothing, but `{gone}` finds {found:?}"
        );
    }
    let filter = Filter::new().with("lang", Comparison::Eq, "en");
    let found = subject.labels(subject.query("lighthouse").filter(filter)).await?;
    ensure!(
        found.is_empty(),
        "the metadata is replaced too, but the old one still passes a filter"
    );
    let found = subject.labels(subject.query("lighthouse")).await?;
    ensure!(
        found == ["a"],
        "a replaced record is found once by its new words, not {found:?}"
    );
    Ok(())
}

pub(super) async fn of_equal_ids_in_one_call_the_last_counts(subject: KeywordStoreSubject) -> Check {
    let records = ["turbine", "valley", "lighthouse"].map(|text| subject.record("a", text));
    subject.keep(records).await?;
    let found = subject.labels(subject.query("turbine valley lighthouse")).await?;
    ensure!(found == ["a"], "an id names one record, not {found:?}");
    let found = subject.labels(subject.query("turbine valley")).await?;
    ensure!(
        found.is_empty(),
        "the last record of an id counts, but the others are found"
    );
    Ok(())
}

pub(super) async fn a_deleted_record_is_gone(subject: KeywordStoreSubject) -> Check {
    let records = ["a", "b", "c"].map(|label| subject.record(label, "turbine"));
    subject.keep(records).await?;
    subject.delete(&["a", "c"]).await?;
    let found = subject.labels(subject.query("turbine")).await?;
    ensure!(found == ["b"], "what is left is found alone, not {found:?}");
    Ok(())
}

pub(super) async fn deleting_an_unknown_id_is_fine(subject: KeywordStoreSubject) -> Check {
    subject.keep([subject.record("a", "turbine")]).await?;
    subject.delete(&["unknown"]).await?;
    subject.delete(&["a", "unknown", "a"]).await?;
    subject.delete(&["a"]).await
}

pub(super) async fn a_deleted_id_can_be_used_again(subject: KeywordStoreSubject) -> Check {
    subject.keep([subject.record("a", "turbine")]).await?;
    subject.delete(&["a"]).await?;
    subject.keep([subject.record("a", "lighthouse")]).await?;
    let found = subject.labels(subject.query("turbine lighthouse")).await?;
    ensure!(
        found == ["a"],
        "an id that was deleted names a new record, not {found:?}"
    );
    let found = subject.labels(subject.query("turbine")).await?;
    ensure!(found.is_empty(), "the deleted text does not come back");
    Ok(())
}

pub(super) async fn a_record_may_move_to_another_namespace(subject: KeywordStoreSubject) -> Check {
    subject.keep([subject.record("a", "turbine")]).await?;
    let there = subject.namespace("there");
    subject
        .keep([subject.record("a", "turbine").namespace(there.clone())])
        .await?;
    let found = subject.labels(subject.query("turbine")).await?;
    ensure!(found.is_empty(), "a record that moved is not left behind");
    let found = subject.labels(subject.query("turbine").namespace(there)).await?;
    ensure!(
        found == ["a"],
        "a record that moved is found where it is, not {found:?}"
    );
    Ok(())
}

pub(super) async fn no_service_cap_reaches_the_caller(subject: KeywordStoreSubject) -> Check {
    let text = "filler ".repeat(300);
    let labels: Vec<_> = (0..700).map(|index| format!("{index:03}")).collect();
    let records = labels
        .iter()
        .map(|label| subject.record(label, &format!("turbine {text}")));
    subject.keep(records).await?;
    let found = subject.labels(subject.query("turbine").top_k(1_000)).await?;
    ensure!(
        found.len() == 700,
        "700 records of one call are found, not {}",
        found.len()
    );
    let labels: Vec<_> = labels.iter().map(String::as_str).collect();
    subject.delete(&labels).await?;
    let found = subject.labels(subject.query("turbine")).await?;
    ensure!(
        found.is_empty(),
        "700 records are deleted by one call, but some are found"
    );
    Ok(())
}

pub(super) async fn nothing_to_do_is_fine(subject: KeywordStoreSubject) -> Check {
    subject.keep([]).await?;
    subject.delete(&[]).await
}

pub(super) async fn ids_and_texts_may_be_any_text(subject: KeywordStoreSubject) -> Check {
    let odd = "it's \"odd\" \\ 100% — ö 日本 {}[] -- ;\n\t";
    let mut record = subject.record(odd, &format!("{odd} turbine"));
    record = record.title(odd).metadata("note", odd);
    subject.keep([record, subject.record("empty", "")]).await?;
    let filter = Filter::new().with("note", Comparison::Eq, odd);
    let found = subject.labels(subject.query("turbine").filter(filter)).await?;
    ensure!(
        found == [odd],
        "a record of odd texts is found under its id, not {found:?}"
    );
    subject.delete(&[odd, "empty"]).await?;
    let found = subject.labels(subject.query("turbine")).await?;
    ensure!(found.is_empty(), "a record of an odd id can be deleted");
    Ok(())
}

pub(super) async fn a_bad_record_keeps_the_others_out(subject: KeywordStoreSubject) -> Check {
    let mut bad = subject.record("bad", "turbine");
    bad.id = String::new();
    let kept = subject
        .store
        .upsert(vec![subject.record("good", "turbine"), bad])
        .await;
    fails_with(kept, ErrorKind::InvalidRequest, "an empty id is refused")?;
    let found = subject.labels(subject.query("turbine")).await?;
    ensure!(
        found.is_empty(),
        "nothing is kept of a call with a bad record, but {found:?} is"
    );
    Ok(())
}

pub(super) async fn count_counts_the_records(subject: KeywordStoreSubject) -> Check {
    let count = || async { subject.store.count().await.must("`count` tells a number") };
    subject.keep([subject.record("known", "turbine")]).await?;
    let before = count().await?;
    let elsewhere = KeywordRecord::new(subject.id("elsewhere"), "turbine");
    let records = [
        subject.record("known", "lighthouse"),
        subject.record("new", ""),
        elsewhere,
    ];
    subject.keep(records).await?;
    let after = count().await?;
    ensure!(
        after == before + 2,
        "two new records and a known one count as two, not {after} after {before}"
    );
    subject.delete(&["new", "elsewhere", "unknown"]).await?;
    let last = count().await?;
    ensure!(
        last == before,
        "deleted records are no longer counted: {last}, not {before}"
    );
    Ok(())
}
