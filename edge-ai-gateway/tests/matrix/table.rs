//! The table of `docs/MATRIX.md`.

use std::fmt::Write as _;

use crate::column::Column;
use crate::feature::Feature;

const HEAD: &str = "<!-- Made of the code by `UPDATE=1 cargo test -p edge-ai-gateway --test matrix`. -->

# What survives between a client and a provider

A table for each dialect that clients speak. Each cell is a test: a client's request goes through the gateway with the real provider to a scripted vendor,
as a whole answer and as a stream cut every seven bytes; what the vendor reads is compared with what the client asked, and what the client hears with what the
vendor told. Providers that do not differ share a column.

- **kept**: the vendor speaks the client's dialect, and gets the client's own bytes.
- **yes**: kept by translation.
- **refused**: the client gets a 400 that names this field before any vendor is asked; a route goes on to a target that can.
- **dropped**: it is left out, for the reason below the table. Nothing is left out that is not listed here: a test fails.
- **-**: the vendor's API has nothing of the kind to tell, as said below the table.

What a provider's *models* can do is in [PROVIDERS.md](../edge-ai-providers/PROVIDERS.md).
";

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Kept,
    Translated,
    Refused(String),
    Dropped(&'static str),
    Nothing(&'static str),
}

/// The table of a client's dialect.
#[derive(Debug)]
pub(crate) struct Section {
    title: &'static str,
    names: Vec<&'static str>,
    rows: Vec<(Feature, Vec<Entry>)>,
}

impl Section {
    pub(crate) fn new(title: &'static str, columns: &[Column]) -> Self {
        Self {
            title,
            names: columns.iter().map(|column| column.name).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; one without entries is for a feature that the dialect has no words for.
    pub(crate) fn add(&mut self, feature: Feature, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.rows.push((feature, entries));
        }
    }

    /// The providers in groups that do not differ.
    fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in 0..self.names.len() {
            let same = |group: &&mut Vec<usize>| self.rows.iter().all(|(_, row)| row[group[0]] == row[at]);
            match groups.iter_mut().find(same) {
                Some(group) => group.push(at),
                None => groups.push(vec![at]),
            }
        }
        groups
    }

    fn write(&self, text: &mut String) {
        let groups = self.groups();
        let mut notes: Vec<&'static str> = Vec::new();
        let mut note = |reason: &'static str| {
            let at = notes
                .iter()
                .position(|known| *known == reason)
                .unwrap_or_else(|| {
                    notes.push(reason);
                    notes.len() - 1
                });
            at + 1
        };
        writeln!(text, "\n## {}\n", self.title).unwrap();
        let title = |group: &Vec<usize>| {
            group
                .iter()
                .map(|at| format!("`{}`", self.names[*at]))
                .collect::<Vec<_>>()
                .join("<br>")
        };
        let titles: Vec<_> = groups.iter().map(title).collect();
        writeln!(
            text,
            "| | {} |\n|{}",
            titles.join(" | "),
            " --- |".repeat(groups.len() + 1)
        )
        .unwrap();
        for (feature, row) in &self.rows {
            let cell = |group: &Vec<usize>| match &row[group[0]] {
                Entry::Kept => String::from("kept"),
                Entry::Translated => String::from("yes"),
                Entry::Refused(field) => format!("refused: `{field}`"),
                Entry::Dropped(reason) => format!("dropped [{}]", note(reason)),
                Entry::Nothing(why) => format!("- [{}]", note(why)),
            };
            let cells: Vec<_> = groups.iter().map(cell).collect();
            writeln!(text, "| {} | {} |", feature.title(), cells.join(" | ")).unwrap();
        }
        text.push('\n');
        for (at, reason) in notes.iter().enumerate() {
            writeln!(text, "{}. {reason}.", at + 1).unwrap();
        }
    }
}

pub(crate) fn write(sections: &[Section]) -> String {
    let mut text = String::from(HEAD);
    sections.iter().for_each(|section| section.write(&mut text));
    text
}
