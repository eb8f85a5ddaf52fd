use edge_ai_core::{ErrorKind, ReturnMetadata, VectorQuery, VectorRecord};

use super::VectorStoreSubject;
use crate::case::{ensure, require};
use crate::contract::fails_with;
use crate::{Check, Stop};

const INVALID: ErrorKind = ErrorKind::InvalidRequest;

pub(super) async fn a_vector_of_another_length_is_refused(subject: VectorStoreSubject) -> Check {
    // The length is that of the first vector, if the store has none of its own.
    subject.keep([subject.record("a")]).await?;
    for length in [0, subject.dimensions - 1, subject.dimensions + 1] {
        let mut record = subject.record("b");
        record.values.resize(length, 1.0);
        let kept = subject.store.upsert(vec![record]).await;
        fails_with(
            kept,
            INVALID,
            &format!("`upsert` refuses a vector of {length} values"),
        )?;
        let found = subject.store.query(VectorQuery::new(vec![1.0; length])).await;
        fails_with(
            found,
            INVALID,
            &format!("`query` refuses a vector of {length} values"),
        )?;
    }
    Ok(())
}

pub(super) async fn a_value_that_is_not_finite_is_refused(subject: VectorStoreSubject) -> Check {
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut record = subject.record("a");
        record
            .values
            .iter_mut()
            .skip(1)
            .take(1)
            .for_each(|value| *value = odd);
        let query = VectorQuery::new(record.values.clone());
        let kept = subject.store.upsert(vec![record]).await;
        fails_with(kept, INVALID, &format!("`upsert` refuses a value of {odd}"))?;
        fails_with(
            subject.store.query(query).await,
            INVALID,
            &format!("`query` refuses a value of {odd}"),
        )?;
    }
    Ok(())
}

pub(super) async fn a_bad_record_keeps_the_others_out(subject: VectorStoreSubject) -> Check {
    subject.keep([subject.record("first")]).await?;
    let mut bad = subject.record("bad");
    bad.values.pop();
    let kept = subject
        .store
        .upsert(vec![subject.record("good"), bad, subject.record("better")])
        .await;
    fails_with(kept, INVALID, "`upsert` refuses records of which one is bad")?;
    // A later write that is visible shows that an earlier one would be.
    subject.keep([subject.record("last")]).await?;
    let found = subject.get(&["good", "better"]).await?;
    ensure!(
        found.is_empty(),
        "nothing is kept of records of which one is bad, but {} are",
        found.len()
    );
    Ok(())
}

pub(super) async fn an_empty_id_is_refused(subject: VectorStoreSubject) -> Check {
    let kept = subject.store.upsert(vec![with_id(&subject, String::new())]).await;
    fails_with(kept, INVALID, "`upsert` refuses an empty id")
}

pub(super) async fn an_id_over_the_limit_is_refused(subject: VectorStoreSubject) -> Check {
    let longest = subject.store.capabilities().max_id_bytes;
    require!(longest <= 1 << 20, "ids may be of any length");
    // Two bytes a character: what counts is bytes.
    let prefix = subject.id("");
    let width = (longest + prefix.len()) / 2;
    let id = format!("{prefix:é<width$}");
    subject.keep([with_id(&subject, id.clone())]).await?;
    let found = subject.store.get(std::slice::from_ref(&id)).await;
    ensure!(
        found.is_ok_and(|found| found.len() == 1),
        "an id of {} bytes is kept",
        id.len()
    );
    let kept = subject
        .store
        .upsert(vec![with_id(&subject, format!("{id}xx"))])
        .await;
    fails_with(
        kept,
        INVALID,
        &format!("`upsert` refuses an id of over {longest} bytes"),
    )
}

fn with_id(subject: &VectorStoreSubject, id: String) -> VectorRecord {
    let mut record = subject.record("a");
    record.id = id;
    record
}

pub(super) async fn metadata_over_the_limit_is_refused(subject: VectorStoreSubject) -> Check {
    let Some(limit) = subject.max_metadata else {
        return Err(Stop::skipped("metadata may be of any size"));
    };
    // `{"text":""}` is 11 bytes.
    let with_size = |size: usize| subject.record("a").metadata("text", "x".repeat(size - 11));
    subject.keep([with_size(limit)]).await?;
    let kept = subject.store.upsert(vec![with_size(limit + 1)]).await;
    fails_with(
        kept,
        INVALID,
        &format!("`upsert` refuses metadata of over {limit} bytes"),
    )
}

pub(super) async fn a_top_k_of_zero_is_refused(subject: VectorStoreSubject) -> Check {
    subject.keep([subject.record("a")]).await?;
    fails_with(
        subject.store.query(subject.near("a").top_k(0)).await,
        INVALID,
        "`query` refuses a top_k of zero",
    )
}

pub(super) async fn a_top_k_over_the_most_is_unsupported(subject: VectorStoreSubject) -> Check {
    let capabilities = subject.store.capabilities();
    require!(
        capabilities.max_top_k < usize::MAX,
        "a query may have any number of matches"
    );
    subject.keep([subject.record("a")]).await?;
    let lean = subject.near("a").return_metadata(ReturnMetadata::None);
    for (query, most) in [
        (lean.clone(), capabilities.max_top_k),
        (
            lean.clone().return_metadata(ReturnMetadata::Indexed),
            capabilities.max_top_k,
        ),
        (lean.clone().return_values(), capabilities.max_top_k_full),
        (
            lean.return_metadata(ReturnMetadata::All),
            capabilities.max_top_k_full,
        ),
    ] {
        let shown = format!("{:?}, values: {}", query.return_metadata, query.return_values);
        let found = subject.store.query(query.top_k(most + 1)).await;
        fails_with(
            found,
            ErrorKind::Unsupported,
            &format!("`query` ({shown}) refuses a top_k over {most}"),
        )?;
    }
    Ok(())
}

pub(super) async fn the_most_matches_are_served(subject: VectorStoreSubject) -> Check {
    let capabilities = subject.store.capabilities();
    let count = capabilities.max_top_k.min(120) + 5;
    subject
        .keep((0..count).map(|index| subject.record(&index.to_string())))
        .await?;
    let lean = subject.near("query").return_metadata(ReturnMetadata::None);
    for (query, most) in [
        (lean.clone(), capabilities.max_top_k),
        (
            lean.clone().return_metadata(ReturnMetadata::Indexed),
            capabilities.max_top_k,
        ),
        (lean.clone().return_values(), capabilities.max_top_k_full),
        (
            lean.return_metadata(ReturnMetadata::All),
            capabilities.max_top_k_full,
        ),
    ] {
        let found = subject.find(query.top_k(most)).await?.len();
        let expected = most.min(count);
        ensure!(
            found == expected,
            "a top_k of {most} gives {expected} of {count} records, not {found}"
        );
    }
    Ok(())
}
