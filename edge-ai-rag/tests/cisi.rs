//! How well keywords find, on CISI: 1,460 abstracts, 76 judged questions
//! (<http://ir.dcs.gla.ac.uk/resources/test_collections/cisi/>, in the SMART format). Run with the folder of its files:
//! `CISI=… cargo test -p edge-ai-rag --test cisi -- --ignored --nocapture`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it is run by hand: it is told a folder, and tells a number"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use edge_ai_core::{KeywordQuery, KeywordRecord, KeywordStore};
use edge_ai_rag::Fts5Store;
use edge_ai_testkit::sqlite::Sqlite;
use futures_executor::block_on;

/// bm25s (k1 0.9, b 0.4, English stemmer) over title and text: nDCG@10 with binary gains.
const BM25S: f64 = 0.3725;

#[test]
#[ignore = "needs the collection"]
fn ranks_within_a_hundredth_of_bm25s() {
    let folder = std::env::var("CISI").unwrap();
    let folder = Path::new(&folder);
    let judged = judgements(&read(&folder.join("CISI.REL")));
    let records = smart(&read(&folder.join("CISI.ALL")))
        .into_iter()
        .map(|(id, fields)| KeywordRecord::new(id, &fields[&'W']).title(&fields[&'T']))
        .collect();
    let store = Fts5Store::new(Sqlite::new(&[Fts5Store::MIGRATION]));
    block_on(store.upsert(records)).unwrap();

    let questions = smart(&read(&folder.join("CISI.QRY")));
    let gains: Vec<f64> = questions
        .iter()
        .filter_map(|(id, fields)| {
            let relevant = judged.get(id)?;
            let text = [&'T', &'W'].map(|field| fields.get(field).map_or("", String::as_str));
            let found = block_on(store.search(KeywordQuery::new(text.join(" ")))).unwrap();
            let gain = |at: usize| 1.0 / (at as f64 + 2.0).log2();
            let ideal: f64 = (0..relevant.len().min(10)).map(gain).sum();
            let gained: f64 = found
                .iter()
                .enumerate()
                .filter(|(_, found)| relevant.contains(&found.id))
                .map(|(at, _)| gain(at))
                .sum();
            Some(gained / ideal)
        })
        .collect();
    let ndcg = gains.iter().sum::<f64>() / gains.len() as f64;
    println!(
        "nDCG@10 over {} questions: {ndcg:.4}, bm25s: {BM25S}",
        gains.len()
    );
    assert_eq!(gains.len(), 76);
    assert!(ndcg >= BM25S - 0.01, "{ndcg} is more than 0.01 below {BM25S}");
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

/// The entries of a SMART file: an identifier, and texts by the letter of their field.
fn smart(file: &str) -> Vec<(String, BTreeMap<char, String>)> {
    let mut entries: Vec<(String, BTreeMap<char, String>)> = Vec::new();
    let mut field = None;
    for line in file.lines() {
        let marker = line.strip_prefix('.').map(str::trim_end);
        match (marker, entries.last_mut()) {
            (Some(rest), _) if rest.starts_with("I ") => {
                entries.push((rest[2..].trim().to_owned(), BTreeMap::new()));
                field = None;
            }
            (Some("T" | "A" | "W" | "X" | "B"), Some(_)) => {
                field = marker.and_then(|name| name.chars().next())
            }
            (_, Some((_, fields))) => {
                if let Some(field) = field {
                    let text = fields.entry(field).or_default();
                    text.push_str(line);
                    text.push('\n');
                }
            }
            _ => {}
        }
    }
    entries
}

fn judgements(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut judged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in file.lines() {
        let mut columns = line.split_whitespace().map(str::to_owned);
        if let (Some(question), Some(document)) = (columns.next(), columns.next()) {
            judged.entry(question).or_default().insert(document);
        }
    }
    judged
}
