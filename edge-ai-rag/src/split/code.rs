use super::cut::{Sizes, cut};
use super::place;
use super::structure::{Line, Structure, lines};
use super::{ChunkSize, Splitter};
use crate::{Chunk, ParsedDocument};

/// Cuts source code by its lay-out, in any language that is indented: between items, then between the parts of an item, the outermost first.
///
/// A break is the better the less the line after it is indented, and better after a blank line. No break is before a line that closes what is open (`}`, `)`,
/// `]`, `end`, `else`), nor between a comment, an attribute or a decorator and what it stands on. A chunk's heading is the lines that it is
/// inside of: `impl Gate {`, `fn open(&self) {`.
///
/// ```
/// use edge_ai_rag::{CodeSplitter, MediaType, ParsedDocument, Splitter};
///
/// let code = "class Gate:\n    def open(self):\n        self.is_open = True\n\n    def close(self):\n        self.is_open = False\n";
/// let chunks = CodeSplitter::characters(60).split(&ParsedDocument::new(code, MediaType::parse("text/x-python")));
/// assert_eq!(chunks[1].text, "def close(self):\n        self.is_open = False");
/// assert_eq!(chunks[1].heading, ["class Gate:"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CodeSplitter {
    sizes: Sizes,
}

impl CodeSplitter {
    /// Chunks of at most `size`, without overlap.
    pub fn new(size: ChunkSize) -> Self {
        Self {
            sizes: Sizes::new(size),
        }
    }

    /// Chunks of at most so many characters.
    pub fn characters(most: usize) -> Self {
        Self::new(ChunkSize::Characters(most))
    }

    /// Chunks of at most so many tokens, as they are [estimated](ChunkSize::Tokens).
    pub fn tokens(most: usize) -> Self {
        Self::new(ChunkSize::Tokens(most))
    }
}

impl Splitter for CodeSplitter {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let text = &document.text;
        let mut ranges = Vec::new();
        cut(text, 0..text.len(), self.sizes, &breaks(text), &mut ranges);
        let mut chunks = place::chunks(document, ranges);
        scopes(text, &mut chunks);
        chunks
    }

    fn fingerprint(&self) -> String {
        self.sizes.fingerprint("code/1")
    }
}

/// Deeper lines are all alike.
const DEEPEST: usize = 20;

fn breaks(text: &str) -> Structure {
    let mut breaks = Structure::default();
    let mut before: Option<Line<'_>> = None;
    let mut blank = false;
    for line in lines(text) {
        if line.text.is_empty() {
            blank = true;
            continue;
        }
        if let Some(before) = before {
            let leads = !blank && before.indent == line.indent && is_lead(before.text);
            let level = if leads || is_closer(line.text) {
                u8::try_from(2 * DEEPEST + 1).unwrap_or(u8::MAX)
            } else {
                let depth = line.indent.div_ceil(2).min(DEEPEST - 1);
                u8::try_from(2 * depth + usize::from(!blank)).unwrap_or(u8::MAX)
            };
            breaks.push(level, before.end);
        }
        before = Some(line);
        blank = false;
    }
    breaks
}

/// A comment, attribute or decorator.
fn is_lead(line: &str) -> bool {
    ["//", "/*", "*", "#", "@", "--", ";;", "\"\"\""]
        .iter()
        .any(|lead| line.starts_with(lead))
}

/// The end of something that was opened above.
fn is_closer(line: &str) -> bool {
    line.starts_with(['}', ')', ']', '{'])
        || [
            "end", "else", "elif", "except", "finally", "catch", "then", "fi", "done", "esac",
        ]
        .iter()
        .any(|word| {
            line.strip_prefix(word)
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
        })
}

/// The longest line that a heading is made of.
const HEADING: usize = 120;

/// Puts the lines that each chunk is inside of into its heading.
fn scopes(text: &str, chunks: &mut [Chunk]) {
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut chunks = chunks.iter_mut().peekable();
    for line in lines(text).filter(|line| !line.text.is_empty()) {
        while open.last().is_some_and(|(indent, _)| *indent >= line.indent) {
            open.pop();
        }
        while let Some(chunk) = chunks.next_if(|chunk| chunk.range.start <= line.end) {
            let above = open.iter().map(|(_, text)| shortened(text));
            chunk.heading.extend(above);
        }
        if !is_lead(line.text) && !is_closer(line.text) && open.len() < DEEPEST {
            open.push((line.indent, line.text));
        }
    }
}

fn shortened(line: &str) -> String {
    let end = line.char_indices().nth(HEADING).map_or(line.len(), |(at, _)| at);
    line.get(..end).unwrap_or(line).to_owned()
}
