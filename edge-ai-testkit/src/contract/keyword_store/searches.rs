use edge_ai_core::{ErrorKind, KeywordMode};

use super::KeywordStoreSubject;
use crate::case::{ensure, require};
use crate::contract::fails_with;
use crate::{Check, Must};

/// Keeps a few texts under labels.
async fn keep(subject: &KeywordStoreSubject, texts: &[(&str, &str)]) -> Check {
    let records = texts.iter().map(|(label, text)| subject.record(label, text));
    subject.keep(records).await
}

pub(super) async fn an_empty_namespace_has_no_match(subject: KeywordStoreSubject) -> Check {
    let found = subject.labels(subject.query("turbine")).await?;
    ensure!(found.is_empty(), "an empty namespace has no match, but {found:?}");
    Ok(())
}

pub(super) async fn more_of_the_words_rank_higher(subject: KeywordStoreSubject) -> Check {
    // How rare a word is counts, and a store may count all that it has: so the words are this case's alone.
    let [a, b, c] = ["a", "b", "c"].map(|label| subject.word(label));
    let texts = [
        ("one", format!("{a} meadow pasture")),
        ("two", format!("{a} {b} pasture")),
        ("three", format!("{a} {b} {c}")),
        ("none", "meadow pasture garden".to_owned()),
    ];
    let records = texts.map(|(label, text)| subject.record(label, &text));
    subject.keep(records).await?;
    let found = subject.labels(subject.query(&format!("{a} {b} {c}"))).await?;
    ensure!(
        found == ["three", "two", "one"],
        "the more of the words, the higher, not {found:?}"
    );
    Ok(())
}

pub(super) async fn scores_fall_and_are_over_zero(subject: KeywordStoreSubject) -> Check {
    let texts = [
        ("a", "turbine"),
        ("b", "turbine beside a meadow with a garden"),
        ("c", "turbine valley"),
    ];
    keep(&subject, &texts).await?;
    let found = subject.find(subject.query("turbine valley")).await?;
    ensure!(
        found.len() == 3,
        "every record of a word is found, not {}",
        found.len()
    );
    let fall = found.is_sorted_by(|before, after| before.score >= after.score);
    let positive = found
        .iter()
        .all(|found| found.score > 0.0 && found.score.is_finite());
    ensure!(
        fall && positive,
        "scores are over zero and the best comes first: {found:?}"
    );
    Ok(())
}

pub(super) async fn a_title_is_searched_and_counts_more(subject: KeywordStoreSubject) -> Check {
    let records = [
        subject.record("text", "turbine").title("meadow"),
        subject.record("title", "meadow").title("turbine"),
    ];
    subject.keep(records).await?;
    let found = subject.labels(subject.query("turbine")).await?;
    ensure!(
        found == ["title", "text"],
        "a title's word counts more than a text's, not {found:?}"
    );
    Ok(())
}

pub(super) async fn a_word_said_twice_counts_twice(subject: KeywordStoreSubject) -> Check {
    let [a, b] = ["a", "b"].map(|label| subject.word(label));
    let records = [
        subject.record("a", &format!("{a} meadow")),
        subject.record("b", &format!("{b} meadow")),
        subject.record("c", "garden"),
        subject.record("d", "pasture"),
    ];
    subject.keep(records).await?;
    for (text, first) in [(format!("{a} {a} {b}"), "a"), (format!("{b} {a} {b}"), "b")] {
        let found = subject.labels(subject.query(&text)).await?;
        ensure!(
            found.first().is_some_and(|label| label == first),
            "what `{text}` says twice counts more, but {found:?} are found"
        );
    }
    Ok(())
}

pub(super) async fn all_words_or_any(subject: KeywordStoreSubject) -> Check {
    let texts = [
        ("both", "turbine valley"),
        ("one", "turbine meadow"),
        ("none", "garden"),
    ];
    keep(&subject, &texts).await?;
    let any = subject.sorted(subject.query("the turbine valley")).await?;
    ensure!(
        any == ["both", "one"],
        "any of the words suffices, but {any:?} are found"
    );
    let query = subject.query("the turbine valley turbine").mode(KeywordMode::All);
    let all = subject.labels(query).await?;
    ensure!(all == ["both"], "all words are asked for, but {all:?} are found");
    Ok(())
}

pub(super) async fn there_are_at_most_top_k_matches(subject: KeywordStoreSubject) -> Check {
    let texts = [
        ("a", "turbine"),
        ("b", "turbine meadow"),
        ("c", "turbine meadow garden"),
    ];
    keep(&subject, &texts).await?;
    for top_k in 1..=4 {
        let found = subject.labels(subject.query("turbine").top_k(top_k)).await?;
        ensure!(
            found.len() == top_k.min(3),
            "of three records, `top_k` of {top_k} gives {}",
            found.len()
        );
        ensure!(
            found.first().is_some_and(|label| label == "a"),
            "the shortest text is the best, not {found:?}"
        );
    }
    Ok(())
}

pub(super) async fn a_top_k_of_zero_is_refused(subject: KeywordStoreSubject) -> Check {
    let found = subject.store.search(subject.query("turbine").top_k(0)).await;
    fails_with(found, ErrorKind::InvalidRequest, "`top_k` of zero is refused")
}

pub(super) async fn case_and_accents_do_not_count(subject: KeywordStoreSubject) -> Check {
    keep(&subject, &[("a", "Ein großes CAFÉ in Zürich"), ("b", "meadow")]).await?;
    for word in ["café", "CAFE", "zurich", "ZÜRICH"] {
        let found = subject.labels(subject.query(word)).await?;
        ensure!(
            found == ["a"],
            "`{word}` is found whatever its case and accents, not {found:?}"
        );
    }
    Ok(())
}

pub(super) async fn words_are_found_by_their_stems(subject: KeywordStoreSubject) -> Check {
    require!(subject.stems, "the store does not know words");
    let texts = [("a", "the pump was leaking"), ("b", "libraries and collections")];
    keep(&subject, &texts).await?;
    for (word, label) in [
        ("pumps", "a"),
        ("leaks", "a"),
        ("library", "b"),
        ("collected", "b"),
    ] {
        let found = subject.labels(subject.query(word)).await?;
        ensure!(found == [label], "`{word}` finds {label:?}, not {found:?}");
    }
    Ok(())
}

pub(super) async fn parts_of_words_are_found(subject: KeywordStoreSubject) -> Check {
    require!(subject.parts, "the store finds whole words");
    keep(&subject, &[("a", "order XK-204417-B"), ("b", "meadow")]).await?;
    for part in ["0441", "204417", "rde"] {
        let found = subject.labels(subject.query(part)).await?;
        ensure!(found == ["a"], "the part `{part}` is found, not {found:?}");
    }
    Ok(())
}

pub(super) async fn scripts_without_spaces_are_searched(subject: KeywordStoreSubject) -> Check {
    require!(subject.parts, "the store finds words between spaces");
    let texts = [
        ("a", "東京都の図書館は月曜日に休館します"),
        ("b", "大阪の天気は晴れです"),
    ];
    keep(&subject, &texts).await?;
    let found = subject
        .labels(subject.query("図書館の休館日はいつですか"))
        .await?;
    ensure!(
        found == ["a"],
        "a question without spaces finds what shares three characters, not {found:?}"
    );
    Ok(())
}

pub(super) async fn a_namespace_keeps_records_apart(subject: KeywordStoreSubject) -> Check {
    let away = subject
        .record("away", "turbine valley")
        .namespace(subject.namespace("there"));
    let mut nowhere = subject.record("nowhere", "turbine valley");
    nowhere.namespace = None;
    subject
        .keep([away, nowhere, subject.record("here", "turbine")])
        .await?;
    let found = subject.labels(subject.query("turbine valley")).await?;
    ensure!(
        found == ["here"],
        "a namespace finds its own records alone, not {found:?}"
    );
    let other = subject.query("turbine").namespace(subject.namespace("elsewhere"));
    let found = subject.labels(other).await?;
    ensure!(
        found.is_empty(),
        "an unknown namespace finds nothing, not {found:?}"
    );
    Ok(())
}

pub(super) async fn without_a_namespace_all_are_searched(subject: KeywordStoreSubject) -> Check {
    let word = subject.word("word");
    let there = subject
        .record("there", &word)
        .namespace(subject.namespace("there"));
    let mut nowhere = subject.record("nowhere", &word);
    nowhere.namespace = None;
    subject
        .keep([there, nowhere, subject.record("here", &word)])
        .await?;
    let mut query = subject.query(&word);
    query.namespace = None;
    let found = subject.sorted(query).await?;
    ensure!(
        found == ["here", "nowhere", "there"],
        "a query without a namespace looks everywhere, not in {found:?}"
    );
    Ok(())
}

pub(super) async fn no_text_is_an_error(subject: KeywordStoreSubject) -> Check {
    keep(&subject, &[("a", "turbine")]).await?;
    let wordless = ["", " ", "?", "\"", "***", "\u{0}", "()", "🙂"];
    for text in wordless {
        let found = subject.labels(subject.query(text)).await?;
        ensure!(found.is_empty(), "{text:?} has no word, but finds {found:?}");
    }
    let odd = [
        "turbine\"",
        "\"turbine",
        "turbine AND",
        "NOT turbine",
        "NEAR(turbine",
        "text:turbine",
        "turbine*",
        "^turbine",
        "-turbine",
        "turbine OR OR",
        "{turbine} : x",
        "turbine\u{0}\u{301}'; DROP TABLE records; --",
        "(((((((turbine",
        "a\u{301}\u{301} turbine + + +",
    ];
    for text in odd {
        let found = subject
            .store
            .search(subject.query(text))
            .await
            .must(&format!("{text:?} is a text like others"))?;
        ensure!(
            found.len() == 1,
            "{text:?} finds the record of its word, not {found:?}"
        );
    }
    let long: String = (0..50_000).map(|at| format!("w{at} ")).collect();
    subject.find(subject.query(&long)).await?;
    subject.find(subject.query(&long).mode(KeywordMode::All)).await?;
    subject.find(subject.query(&"x".repeat(100_000))).await?;
    Ok(())
}

pub(super) async fn a_question_of_stop_words_is_answered(subject: KeywordStoreSubject) -> Check {
    require!(subject.stems, "words of less than three characters are not found");
    keep(&subject, &[("a", "To be, or not to be"), ("b", "meadow")]).await?;
    let found = subject.labels(subject.query("or not to be")).await?;
    ensure!(
        found == ["a"],
        "a question of nothing but stop words is looked for, not {found:?}"
    );
    Ok(())
}
