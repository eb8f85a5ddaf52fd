use std::ops::Range;

use super::cut::{Sizes, cut};
use super::place::{self, Path};
use super::structure::{Structure, lines};
use super::{ChunkSize, Splitter};
use crate::{Chunk, ParsedDocument};

/// Cuts a document with headings into its sections, and sections that are too long between paragraphs; code fences, tables and items of lists are not cut
/// where they fit.
///
/// No chunk reaches over a heading, but that headings with nothing below them go with what follows. It relies on
/// [`ParsedDocument::headings`], so it is good for whatever has them: Markdown, HTML, a PDF with an outline.
///
/// ```
/// use edge_ai_rag::{Heading, MarkdownSplitter, MediaType, ParsedDocument, Splitter};
///
/// let mut document = ParsedDocument::new("# Tea\n## Green\n70 °C.\n## Black\n95 °C.", MediaType::MARKDOWN);
/// document.headings = vec![Heading::new(1, "Tea", 0), Heading::new(2, "Green", 6), Heading::new(2, "Black", 23)];
/// let chunks = MarkdownSplitter::tokens(256).split(&document);
/// assert_eq!(chunks[0].text, "# Tea\n## Green\n70 °C.");
/// assert_eq!(chunks[1].heading, ["Tea", "Black"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MarkdownSplitter {
    sizes: Sizes,
}

impl MarkdownSplitter {
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

    /// Repeats up to so much of a chunk's end at the beginning of the next one of the same section, at most half of the size.
    #[must_use]
    pub fn overlap(mut self, most: usize) -> Self {
        self.sizes = self.sizes.overlapping(most);
        self
    }
}

impl Splitter for MarkdownSplitter {
    fn split(&self, document: &ParsedDocument) -> Vec<Chunk> {
        let text = &document.text;
        let breaks = blocks(text);
        let mut path = Path::new(document);
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut ranges = Vec::new();
        for (section, heading) in sections(document) {
            cut(text, section, self.sizes, &breaks, &mut ranges);
            let heading = path.at(heading);
            for range in ranges.drain(..) {
                let ordinal = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
                chunks.push(place::chunk(document, ordinal, range, heading.clone()));
            }
        }
        chunks
    }

    fn fingerprint(&self) -> String {
        self.sizes.fingerprint("markdown/1")
    }
}

/// The document's sections, each with where its own heading begins: a heading with nothing below it goes with the next.
fn sections(document: &ParsedDocument) -> Vec<(Range<usize>, usize)> {
    let text = &document.text;
    let mut sections = Vec::with_capacity(document.headings.len() + 1);
    let mut start = 0;
    let mut last = 0;
    let offsets = document.headings.iter().map(|heading| heading.offset);
    for offset in offsets.chain([text.len()]) {
        if offset > text.len() || offset < last || !text.is_char_boundary(offset) {
            continue;
        }
        let own = text.get(last..offset).unwrap_or_default();
        if offset == text.len() || !is_heading_alone(own, last > 0 || starts_with_heading(document)) {
            sections.push((start..offset, last));
            start = offset;
        }
        last = offset;
    }
    sections
}

fn starts_with_heading(document: &ParsedDocument) -> bool {
    document.headings.first().is_some_and(|first| first.offset == 0)
}

/// Whether a section is its heading's line, with the line under it where it is underlined, and nothing else.
fn is_heading_alone(section: &str, headed: bool) -> bool {
    let section = section.trim();
    let (_, below) = section.split_once('\n').unwrap_or_default();
    section.is_empty() || (headed && below.trim().trim_start_matches(['=', '-']).is_empty())
}

/// A block begins; an item of a list or a paragraph of one; a blank line within code; a line.
const BLOCK: u8 = 0;
const ITEM: u8 = 1;
const STANZA: u8 = 2;
const LINE: u8 = 3;

fn blocks(text: &str) -> Structure {
    let mut breaks = Structure::default();
    let mut fence: Option<(u8, usize)> = None;
    let mut fence_ended = false;
    // Where the text before the line ends, and whether a blank line is between.
    let mut content = 0;
    let mut blank = true;
    for line in lines(text) {
        if line.text.is_empty() {
            blank = true;
            continue;
        }
        let mark = fence_mark(line.text);
        let inside = fence.is_some();
        let level = match (inside, mark.is_some()) {
            (true, _) if blank => STANZA,
            (true, _) => LINE,
            // What stands under a paragraph belongs to it.
            (false, true) if line.indent == 0 && blank => BLOCK,
            (false, false) if is_item(line.text) => ITEM,
            (false, _) if (blank || fence_ended) && line.indent == 0 => BLOCK,
            (false, _) if blank || fence_ended => ITEM,
            (false, _) => LINE,
        };
        if content > 0 {
            breaks.push(level, content);
        }
        fence_ended = false;
        match (fence, mark) {
            (None, Some((kind, length, _))) => fence = Some((kind, length)),
            (Some((open, least)), Some((kind, length, bare))) if kind == open && length >= least && bare => {
                fence = None;
                fence_ended = true;
            }
            _ => {}
        }
        content = line.end;
        blank = false;
    }
    breaks
}

/// The mark of a code fence, how often it stands there, and whether nothing follows ([CommonMark, section
/// 4.5](https://spec.commonmark.org/0.31.2/#fenced-code-blocks)).
fn fence_mark(line: &str) -> Option<(u8, usize, bool)> {
    let kind = *line
        .as_bytes()
        .first()
        .filter(|kind| matches!(kind, b'`' | b'~'))?;
    let length = line.bytes().take_while(|byte| *byte == kind).count();
    let rest = line.get(length..).unwrap_or_default();
    (length >= 3 && !(kind == b'`' && rest.contains('`'))).then_some((kind, length, rest.is_empty()))
}

/// Whether a line begins an item of a list.
fn is_item(line: &str) -> bool {
    let digits = line.bytes().take(10).take_while(u8::is_ascii_digit).count();
    let rest = line.as_bytes().get(digits..).unwrap_or_default();
    match rest {
        [b'-' | b'*' | b'+', b' ' | b'\t', ..] => digits == 0,
        [b'.' | b')', b' ' | b'\t', ..] => digits > 0 && digits < 10,
        _ => false,
    }
}
