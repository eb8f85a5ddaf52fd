use super::{Citation, Source};

/// The longest mark that is waited for, in bytes.
const LONGEST_MARK: usize = 64;

/// Reads citations out of an answer as it arrives: `[1]`, `[1, 3]`, `[Source 2]` and `【1†…】` are written `[1]`, `[1][3]`, …; a number that no source has is dropped
/// with the spaces before it, and remembered. What is in Markdown code stays as it is. However an answer is cut into pieces, the result is the same.
#[derive(Debug)]
pub(super) struct Scanner {
    sources: Vec<Source>,
    held: String,
    /// The run of backticks that opened the code we are in; 0 outside.
    ticks: usize,
    /// Characters written.
    written: usize,
    last: Option<char>,
    /// Spaces that went with an invented mark; a real one right behind it has them back.
    dropped: String,
    pub(super) citations: Vec<Citation>,
    pub(super) invented: Vec<u32>,
}

enum Mark {
    /// The numbers, and how many bytes it has.
    Numbers(Vec<u32>, usize),
    /// More must come before it can be told.
    Open,
    None,
}

impl Scanner {
    pub(super) fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            held: String::new(),
            ticks: 0,
            written: 0,
            last: None,
            dropped: String::new(),
            citations: Vec::new(),
            invented: Vec::new(),
        }
    }

    /// The next piece of the answer; gives what can be shown.
    pub(super) fn push(&mut self, text: &str) -> String {
        self.held.push_str(text);
        self.read(false)
    }

    /// What was held back.
    pub(super) fn finish(&mut self) -> String {
        self.read(true)
    }

    fn read(&mut self, end: bool) -> String {
        let held = std::mem::take(&mut self.held);
        let mut out = String::with_capacity(held.len());
        let mut rest = held.as_str();
        while let Some(char) = rest.chars().next() {
            let run = rest.len() - rest.trim_start_matches(char).len();
            let whole = end || run < rest.len();
            match char {
                '`' if !whole => break,
                '`' => {
                    self.fence(run);
                    rest = self.write(&mut out, rest, run);
                }
                ' ' if self.ticks == 0 && !whole => break,
                ' ' | '[' | '【' if self.ticks == 0 => {
                    let spaces = if char == ' ' { run } else { 0 };
                    let after = rest.get(spaces..).unwrap_or_default();
                    match mark(after, end) {
                        Mark::Open => break,
                        Mark::Numbers(numbers, length) => {
                            self.cite(&mut out, rest.get(..spaces).unwrap_or_default(), &numbers);
                            rest = after.get(length..).unwrap_or_default();
                        }
                        Mark::None if spaces > 0 => rest = self.write(&mut out, rest, spaces),
                        Mark::None => rest = self.write(&mut out, rest, char.len_utf8()),
                    }
                }
                _ => rest = self.write(&mut out, rest, char.len_utf8()),
            }
        }
        rest.clone_into(&mut self.held);
        out
    }

    /// Writes the first bytes of `rest` and gives what follows.
    fn write<'a>(&mut self, out: &mut String, rest: &'a str, bytes: usize) -> &'a str {
        self.dropped.clear();
        let (text, rest) = rest.split_at_checked(bytes).unwrap_or((rest, ""));
        for char in text.chars() {
            // A paragraph ends a span of code that was never closed.
            if char == '\n' && self.last == Some('\n') && self.ticks < 3 {
                self.ticks = 0;
            }
            self.last = Some(char);
            self.written += 1;
        }
        out.push_str(text);
        rest
    }

    fn fence(&mut self, run: usize) {
        match self.ticks {
            0 => self.ticks = run,
            open if open == run || (open >= 3 && run >= open) => self.ticks = 0,
            _ => {}
        }
    }

    fn cite(&mut self, out: &mut String, spaces: &str, numbers: &[u32]) {
        let dropped = std::mem::take(&mut self.dropped);
        let mut before = if spaces.is_empty() {
            dropped
        } else {
            spaces.to_owned()
        };
        for number in numbers {
            let Some(source) = self
                .sources
                .iter()
                .find(|source| source.number == *number)
                .cloned()
            else {
                if !self.invented.contains(number) {
                    self.invented.push(*number);
                }
                continue;
            };
            let before = std::mem::take(&mut before);
            self.write(out, &before, before.len());
            let start = self.written;
            let mark = format!("[{number}]");
            self.write(out, &mark, mark.len());
            self.citations.push(Citation::new(&source, start..self.written));
        }
        self.dropped = before;
    }
}

/// The mark that a text begins with.
fn mark(text: &str, end: bool) -> Mark {
    let (close, rest) = match (text.strip_prefix('['), text.strip_prefix('【')) {
        (Some(rest), _) => (']', rest),
        (_, Some(rest)) => ('】', rest),
        _ => return Mark::None,
    };
    let Some(length) = rest.find(close) else {
        let waits = !end && rest.len() < LONGEST_MARK && numbers(rest, close, true).is_some();
        return if waits { Mark::Open } else { Mark::None };
    };
    let inside = rest.get(..length).unwrap_or_default();
    match numbers(inside, close, false).filter(|_| length < LONGEST_MARK) {
        Some(numbers) => Mark::Numbers(numbers, text.len() - rest.len() + length + close.len_utf8()),
        None => Mark::None,
    }
}

/// The numbers within a mark; of an unfinished one, whether it can become one.
fn numbers(inside: &str, close: char, unfinished: bool) -> Option<Vec<u32>> {
    const PREFIXES: [&str; 4] = ["sources", "source", "Sources", "Source"];
    let inside = inside.trim_start();
    if unfinished && PREFIXES.iter().any(|prefix| prefix.starts_with(inside)) {
        return Some(Vec::new());
    }
    let prefix = PREFIXES.iter().find_map(|prefix| inside.strip_prefix(prefix));
    let list = prefix.unwrap_or(inside).trim_start_matches([' ', ':', '#']);
    // OpenAI's models put the line after a dagger.
    let list = match close {
        '】' => list.split('†').next().unwrap_or_default(),
        _ => list,
    };
    let mut numbers = Vec::new();
    let mut pieces = list.split([',', ';']).peekable();
    while let Some(piece) = pieces.next() {
        let piece = piece.trim();
        if piece.is_empty() && unfinished && pieces.peek().is_none() {
            break;
        }
        // A year in brackets is none.
        if piece.is_empty() || piece.len() > 3 || !piece.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        numbers.push(piece.parse().ok()?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DocumentId, RetrievedChunk, StoredChunk};
    use proptest::prelude::*;

    fn sources(count: u32) -> Vec<Source> {
        let source = |number: u32| {
            let document = DocumentId::new(format!("d{number}")).unwrap();
            let chunk = StoredChunk::new(format!("c{number}"), document, 0, "text", 0..4);
            let mut source = Source::new(RetrievedChunk::of_chunk(chunk, 1.0));
            source.number = number;
            source
        };
        (1..=count).map(source).collect()
    }

    fn scan(pieces: &[&str]) -> (String, Vec<Citation>, Vec<u32>) {
        let mut scanner = Scanner::new(sources(3));
        let mut out: String = pieces.iter().map(|piece| scanner.push(piece)).collect();
        out.push_str(&scanner.finish());
        (out, scanner.citations, scanner.invented)
    }

    #[test]
    fn marks_are_read_and_invented_ones_dropped() {
        for (answer, text, cited, invented) in [
            ("Thirty days [1].", "Thirty days [1].", vec![1], vec![]),
            ("Thirty days[1][3].", "Thirty days[1][3].", vec![1, 3], vec![]),
            (
                "So [1, 3] and [2;9].",
                "So [1][3] and [2].",
                vec![1, 3, 2],
                vec![9],
            ),
            (
                "So [Source 2], [sources: 1,2].",
                "So [2], [1][2].",
                vec![2, 1, 2],
                vec![],
            ),
            ("So 【2†L3-L4】.", "So [2].", vec![2], vec![]),
            (
                "Invented [9] and [0] here [9].",
                "Invented and here.",
                vec![],
                vec![9, 0],
            ),
            (
                "The list `a[9]` and\n```\nb[9] [1]\n```\n[1]",
                "The list `a[9]` and\n```\nb[9] [1]\n```\n[1]",
                vec![1],
                vec![],
            ),
            (
                "An `open tick\n\nends [1]",
                "An `open tick\n\nends [1]",
                vec![1],
                vec![],
            ),
            (
                "In [2024] and [x] and [] and [1",
                "In [2024] and [x] and [] and [1",
                vec![],
                vec![],
            ),
            ("[a](b) [1](c)", "[a](b) [1](c)", vec![1], vec![]),
        ] {
            let (out, citations, dropped) = scan(&[answer]);
            assert_eq!(out, text, "{answer}");
            assert_eq!(
                citations.iter().map(|cited| cited.number).collect::<Vec<_>>(),
                cited,
                "{answer}"
            );
            assert_eq!(dropped, invented, "{answer}");
        }
    }

    #[test]
    fn a_citation_says_where_it_stands_and_what_it_is_from() {
        let (out, citations, _) = scan(&["Ja, dreißig Tage 🎉 [", "2", "]."]);
        let cited = &citations[0];
        let chars: Vec<char> = out.chars().collect();
        assert_eq!(chars[cited.at.clone()].iter().collect::<String>(), "[2]");
        assert_eq!(
            (
                cited.document_id.as_str(),
                cited.chunk_id.as_str(),
                cited.range.clone()
            ),
            ("d2", "c2", 0..4)
        );
    }

    #[test]
    fn nothing_is_held_longer_than_it_must() {
        let mut scanner = Scanner::new(sources(1));
        assert_eq!(scanner.push("a b"), "a b");
        assert_eq!(scanner.push(" "), "");
        assert_eq!(scanner.push("[link"), " [link");
        assert_eq!(scanner.push(" ["), "");
        assert_eq!(scanner.push("1"), "");
        assert_eq!(scanner.push("]"), " [1]");
        assert_eq!(scanner.push(&format!("[{}", "1,".repeat(40))).len(), 81);
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            answer in "([a ]|\\[|\\]|[0-9]|,|`|``|```|\n|【|】|†|é| \\[1\\]|\\[Source 2\\]| \\[9\\]){0,40}",
            cuts in prop::collection::vec(0_usize..80, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts
                .into_iter()
                .map(|cut| cut.min(answer.len()))
                .filter(|cut| answer.is_char_boundary(*cut))
                .chain([0, answer.len()])
                .collect();
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|pair| &answer[pair[0]..pair[1]]).collect();
            let whole = scan(&[&answer]);
            prop_assert_eq!(&scan(&pieces), &whole);
            let chars: Vec<char> = whole.0.chars().collect();
            for cited in &whole.1 {
                let shown: String = chars[cited.at.clone()].iter().collect();
                prop_assert_eq!(shown, format!("[{}]", cited.number));
            }
        }
    }
}
