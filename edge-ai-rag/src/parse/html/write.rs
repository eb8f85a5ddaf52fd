use edge_ai_core::{Error, ErrorKind, Result};

use crate::Heading;
use crate::parse::Limits;

/// Writes elements as Markdown, in the order in which they come.
#[derive(Debug)]
pub(super) struct Writer {
    limits: Limits,
    text: String,
    headings: Vec<Heading>,
    /// Line breaks that are due before the next word.
    breaks: usize,
    space: bool,
    lists: Vec<List>,
    heading: Option<usize>,
    pre: usize,
    rows: Option<Row>,
}

#[derive(Debug)]
struct List {
    /// The number of the next item of an ordered one.
    number: Option<u32>,
}

/// A row of a table, whose cells are collected before it is written.
#[derive(Debug, Default)]
struct Row {
    cells: Vec<String>,
    written: usize,
    open: usize,
}

impl Writer {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            text: String::new(),
            headings: Vec::new(),
            breaks: 0,
            space: false,
            lists: Vec::new(),
            heading: None,
            pre: 0,
            rows: None,
        }
    }

    pub(super) fn length(&self) -> usize {
        let cells = self
            .rows
            .as_ref()
            .map_or(0, |row| row.cells.iter().map(String::len).sum());
        self.text.len() + cells
    }

    pub(super) fn start(&mut self, name: &[u8], class: Option<&str>) -> Result<()> {
        if self.rows.is_some() && !matches!(name, b"tr" | b"td" | b"th" | b"table") {
            self.space = true;
            return Ok(());
        }
        match name {
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => self.start_heading(name),
            b"br" => self.due(1),
            b"ul" | b"ol" | b"menu" => {
                if self.lists.len() >= self.limits.max_depth {
                    return Err(too_deep(self.limits.max_depth));
                }
                self.due(if self.lists.is_empty() { 2 } else { 1 });
                let number = (name == b"ol").then_some(1);
                self.lists.push(List { number });
            }
            b"li" => self.start_item(),
            b"pre" => {
                self.due(2);
                self.flush();
                let language = class.and_then(|class| {
                    class
                        .split_whitespace()
                        .find_map(|class| class.strip_prefix("language-"))
                });
                self.text.push_str("```");
                self.text.push_str(language.unwrap_or_default());
                self.text.push('\n');
                self.pre += 1;
            }
            b"table" => {
                self.due(2);
                match &mut self.rows {
                    Some(rows) => rows.open += 1,
                    None => {
                        self.rows = Some(Row {
                            open: 1,
                            ..Row::default()
                        });
                    }
                }
            }
            b"tr" => self.end_row(),
            b"td" | b"th" => {
                if let Some(row) = &mut self.rows {
                    row.cells.push(String::new());
                    self.space = false;
                }
            }
            b"dt" | b"dd" => self.due(1),
            name if is_block(name) => self.due(2),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn end(&mut self, name: &[u8]) {
        match name {
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => self.end_heading(),
            b"ul" | b"ol" | b"menu" if self.rows.is_none() => {
                self.lists.pop();
                self.due(if self.lists.is_empty() { 2 } else { 1 });
            }
            b"li" => self.due(1),
            b"pre" if self.pre > 0 => {
                self.pre -= 1;
                if !self.text.ends_with('\n') {
                    self.text.push('\n');
                }
                self.text.push_str("```");
                self.due(2);
            }
            b"tr" => self.end_row(),
            b"table" => {
                self.end_row();
                if let Some(rows) = &mut self.rows {
                    rows.open -= 1;
                    if rows.open == 0 {
                        self.rows = None;
                    }
                }
                self.due(2);
            }
            name if is_block(name) => self.due(2),
            _ => {}
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.pre > 0 {
            self.text.push_str(text);
            return;
        }
        if let Some(row) = &mut self.rows {
            // Text between cells is nobody's.
            if let Some(cell) = row.cells.last_mut() {
                append(cell, text, &mut self.space, '|');
            }
            return;
        }
        if text.trim().is_empty() {
            self.space |= !text.is_empty();
            return;
        }
        if self.breaks > 0 {
            self.flush();
        }
        append(&mut self.text, text, &mut self.space, '\0');
    }

    pub(super) fn finish(mut self) -> (String, Vec<Heading>) {
        self.end_heading();
        self.end_row();
        while self.pre > 0 {
            self.end(b"pre");
        }
        let end = self.text.trim_end().len();
        self.text.truncate(end);
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.headings.retain(|heading| !heading.text.is_empty());
        (self.text, self.headings)
    }

    fn due(&mut self, breaks: usize) {
        // A heading is one line.
        match self.heading.is_some() || self.rows.is_some() || self.pre > 0 {
            true => self.space = true,
            false => self.breaks = self.breaks.max(breaks),
        }
    }

    /// Writes the line breaks that are due.
    fn flush(&mut self) {
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        if !self.text.is_empty() {
            let there = self.text.len() - self.text.trim_end_matches('\n').len();
            for _ in there..self.breaks {
                self.text.push('\n');
            }
        }
        self.breaks = 0;
        self.space = false;
    }

    fn start_heading(&mut self, name: &[u8]) {
        self.end_heading();
        self.due(2);
        self.flush();
        let level = name.get(1).map_or(1, |digit| digit.wrapping_sub(b'0'));
        let offset = self.text.len();
        self.headings.push(Heading::new(level, "", offset));
        for _ in 0..level {
            self.text.push('#');
        }
        self.text.push(' ');
        self.heading = Some(self.text.len());
    }

    fn end_heading(&mut self) {
        let Some(start) = self.heading.take() else { return };
        let words = self.text.get(start..).unwrap_or_default().trim().to_owned();
        if let Some(heading) = self.headings.last_mut() {
            if words.is_empty() {
                // Nothing to see.
                self.text.truncate(heading.offset);
            }
            heading.text = words;
        }
        self.due(2);
    }

    fn start_item(&mut self) {
        self.due(1);
        self.flush();
        for _ in 1..self.lists.len() {
            self.text.push_str("  ");
        }
        match self.lists.last_mut().and_then(|list| list.number.as_mut()) {
            Some(number) => {
                self.text.push_str(&number.to_string());
                self.text.push_str(". ");
                *number = number.saturating_add(1);
            }
            None => self.text.push_str("- "),
        }
    }

    /// Writes the row that was collected, with a rule below the first.
    fn end_row(&mut self) {
        let Some(row) = &mut self.rows else { return };
        let cells = std::mem::take(&mut row.cells);
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        let first = row.written == 0;
        row.written += 1;
        if first {
            self.breaks = self.breaks.max(2);
            self.flush();
        } else {
            self.text.push('\n');
        }
        for cell in &cells {
            self.text.push_str("| ");
            self.text.push_str(cell.trim());
            self.text.push(' ');
        }
        self.text.push('|');
        if first {
            self.text.push('\n');
            for _ in &cells {
                self.text.push_str("| --- ");
            }
            self.text.push('|');
        }
    }
}

/// Adds words with one space between them; `escaped` is a mark that would be read as markup there.
fn append(to: &mut String, text: &str, space: &mut bool, escaped: char) {
    for character in text.chars() {
        if character.is_whitespace() && character != '\u{a0}' {
            *space = true;
            continue;
        }
        if *space && !to.is_empty() && !to.ends_with([' ', '\n']) {
            to.push(' ');
        }
        *space = false;
        if character == escaped {
            to.push('\\');
        }
        to.push(if character == '\u{a0}' { ' ' } else { character });
    }
}

pub(super) fn is_block(name: &[u8]) -> bool {
    matches!(
        name,
        b"p" | b"div"
            | b"article"
            | b"main"
            | b"section"
            | b"header"
            | b"footer"
            | b"aside"
            | b"blockquote"
            | b"figure"
            | b"figcaption"
            | b"dl"
            | b"hr"
            | b"address"
            | b"details"
            | b"summary"
            | b"fieldset"
            | b"body"
            | b"caption"
    )
}

fn too_deep(most: usize) -> Error {
    let message = format!(
        "the page has lists in lists deeper than {most} levels: simplify it, or raise `Limits::max_depth`"
    );
    Error::new(ErrorKind::TooLarge, message).with_param("body")
}
