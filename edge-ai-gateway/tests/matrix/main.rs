//! What survives between every client's dialect and every provider, whole and streamed: `docs/MATRIX.md`, which this writes with
//! `UPDATE=1 cargo test -p edge-ai-gateway --test matrix`.
//!
//! A client's request goes through a gateway with the real provider to a scripted vendor. What the vendor reads must be what the client asked, and what
//! the client hears must be what the vendor told; what is neither, nor refused with an error that names the field, nor [known and explained](known), is
//! a failure. The dialects are written and read here by their vendors' descriptions, not by the code under test.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod ask;
mod cell;
mod column;
mod dialect;
mod feature;
mod known;
mod table;
mod told;

use std::collections::BTreeMap;
use std::path::Path;

use cell::{Cell, cell};
use column::Column;
use dialect::{Chat, Client, Messages, Responses};
use feature::Feature;
use known::Known;
use table::{Entry, Section};

/// The fields in which two values differ, if any.
macro_rules! differences {
    ($left:ident, $right:ident: $($field:ident),+) => {{
        let mut found: Vec<String> = Vec::new();
        $(if $left.$field != $right.$field {
            found.push(format!("{}: {:?} became {:?}", stringify!($field), $left.$field, $right.$field));
        })+
        (!found.is_empty()).then(|| found.join("; "))
    }};
}
use differences;

#[test]
fn nothing_is_lost_silently() {
    let clients: [&dyn Client; 3] = [&Chat, &Responses, &Messages];
    let columns = Column::all();
    let mut known = Known::default();
    let mut lost: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut sections = Vec::new();
    for client in clients {
        let mut section = Section::new(client.title(), &columns);
        for feature in Feature::ALL {
            let cells = columns
                .iter()
                .map(|column| (column, cell(feature, client, column)));
            let entries = cells.filter_map(|(column, cell)| {
                Some(match cell? {
                    Cell::Kept if client.title().ends_with(column.server.title()) => Entry::Kept,
                    Cell::Kept => Entry::Translated,
                    Cell::Refused(field) => Entry::Refused(field),
                    Cell::Nothing(why) => Entry::Nothing(why),
                    Cell::Lost(what) => match known.reason(feature, client, column) {
                        Some(reason) => Entry::Dropped(reason),
                        None => {
                            let what = format!("{}, {}: {what}", client.title(), feature.title());
                            lost.entry(what).or_default().push(column.name);
                            Entry::Dropped("")
                        }
                    },
                })
            });
            section.add(feature, entries.collect());
        }
        sections.push(section);
    }
    assert!(lost.is_empty(), "lost silently: {lost:#?}");
    let stale = known.stale();
    assert!(stale.is_empty(), "these are not lost any more: {stale:?}");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/MATRIX.md");
    let table = table::write(&sections);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == table,
        "docs/MATRIX.md is not what the code does; UPDATE=1 cargo test -p edge-ai-gateway --test matrix writes it"
    );
}
