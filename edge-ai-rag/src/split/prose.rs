//! Where running text is cut: at paragraphs, lines, sentences, words, characters.

use memchr::{memrchr, memrchr3_iter};

use super::cut::{Break, Breaks, slice};

/// Breaks of text that nothing is known about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prose;

const PARAGRAPH: u8 = 0;
const LINE: u8 = 1;
/// What is found within a line is worse than any of a splitter's own levels.
pub(super) const SENTENCE: u8 = 100;
const WORD: u8 = 101;
const CHARACTER: u8 = 102;

impl Breaks for Prose {
    fn best(&self, text: &str, fresh: usize, reach: usize) -> Break {
        line(text, fresh, reach).unwrap_or_else(|| inline(text, fresh, reach))
    }
}

/// The last paragraph in the window, else the last line.
fn line(text: &str, fresh: usize, reach: usize) -> Option<Break> {
    let bytes = text.as_bytes();
    let mut last = None;
    // A line break right after the window ends it as well as one inside.
    let mut end = reach.saturating_add(1).min(bytes.len());
    while let Some(at) = bytes.get(fresh..end).and_then(|window| memrchr(b'\n', window)) {
        let newline = fresh + at;
        let blank = bytes.get(fresh..newline).unwrap_or_default();
        let content = blank
            .iter()
            .rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        let content = fresh + content.map_or(0, |at| at + 1);
        let blanks = bytes.get(content..newline).unwrap_or_default();
        let before = next_is_blank(bytes, newline);
        if content > fresh {
            if before || blanks.contains(&b'\n') {
                return Some(Break {
                    level: PARAGRAPH,
                    at: content,
                });
            }
            last.get_or_insert(Break {
                level: LINE,
                at: content,
            });
        }
        end = content;
        if end <= fresh {
            break;
        }
    }
    last
}

/// Whether the line after a line break is blank; only the last one of a window has not been looked at from its other end.
fn next_is_blank(bytes: &[u8], newline: usize) -> bool {
    let next = bytes.get(newline + 1..).unwrap_or_default();
    matches!(next, [b'\n', ..] | [b'\r', b'\n', ..])
}

/// The last sentence in the window, else the last word, else a character.
pub(super) fn inline(text: &str, fresh: usize, reach: usize) -> Break {
    let window = slice(text, fresh, reach);
    if let Some(at) = last_sentence_end(text, fresh, reach) {
        return Break { level: SENTENCE, at };
    }
    // The word may end right there.
    let next = text.get(reach..).and_then(|rest| rest.chars().next());
    if next.is_some_and(char::is_whitespace) {
        return Break {
            level: WORD,
            at: reach,
        };
    }
    // In a script without spaces one far back is no better than none.
    let space = window.rfind(char::is_whitespace).map(|at| fresh + at);
    match space.filter(|at| *at > fresh + window.len() / 2) {
        Some(at) => Break { level: WORD, at },
        None => Break {
            level: CHARACTER,
            at: whole_character(text, fresh, reach),
        },
    }
}

/// The end of the last sentence that ends after `fresh` and up to `reach`.
fn last_sentence_end(text: &str, fresh: usize, reach: usize) -> Option<usize> {
    let window = text.as_bytes().get(fresh..reach)?;
    let latin = memrchr3_iter(b'.', b'!', b'?', window)
        .map(|at| after_closers(text, fresh + at + 1))
        .find(|end| *end <= reach && ends_sentence(text, *end));
    if latin.is_some() || window.is_ascii() {
        return latin;
    }
    let wide = slice(text, fresh, reach).rfind(['。', '！', '？', '।', '؟'])?;
    let mark = text.get(fresh + wide..)?.chars().next()?;
    Some(after_closers(text, fresh + wide + mark.len_utf8())).filter(|end| *end <= reach)
}

/// The end of the first sentence of a text that goes on after it; no more than that is read.
pub(super) fn first_sentence_end(text: &str) -> Option<usize> {
    text.char_indices().find_map(|(at, mark)| {
        let wide = matches!(mark, '。' | '！' | '？' | '।' | '؟');
        if !wide && !matches!(mark, '.' | '!' | '?') {
            return None;
        }
        let end = after_closers(text, at + mark.len_utf8());
        (wide || ends_sentence(text, end)).then_some(end)
    })
}

/// Quotes and brackets that close belong to the sentence.
fn after_closers(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let closers = rest.chars().take(3).take_while(|next| {
        matches!(
            next,
            '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '』' | '）'
        )
    });
    at + closers.map(char::len_utf8).sum::<usize>()
}

/// Whether a mark that ends at `end` ends a sentence: white space follows, and it is no abbreviation.
fn ends_sentence(text: &str, end: usize) -> bool {
    let follows = text.get(end..).and_then(|rest| rest.chars().next());
    if !follows.is_some_and(char::is_whitespace) {
        return false;
    }
    let before = text
        .as_bytes()
        .get(end.saturating_sub(6)..end)
        .unwrap_or_default();
    let Some(word) = before.strip_suffix(b".") else {
        return true;
    };
    let start = word
        .iter()
        .rposition(|byte| !byte.is_ascii_alphabetic() && *byte != b'.');
    let alone = start.is_none_or(|at| word.get(at).is_some_and(u8::is_ascii_whitespace));
    let word = word.get(start.map_or(0, |at| at + 1)..).unwrap_or_default();
    // Initials, which "°C" is none of, and what is mostly followed by more.
    !((alone && matches!(word, [letter] if letter.is_ascii_uppercase()))
        || [
            &b"e.g"[..],
            b"i.e",
            b"Mr",
            b"Mrs",
            b"Ms",
            b"Dr",
            b"Prof",
            b"St",
            b"vs",
            b"cf",
            b"No",
            b"Fig",
            b"etc",
            b"z.B",
            b"Nr",
            b"al",
        ]
        .contains(&word))
}

/// As many characters as one reads as one are not cut, within reason: marks and joiners stay with what they are on, and `\r\n` is one line break.
fn whole_character(text: &str, fresh: usize, reach: usize) -> usize {
    let mut at = reach;
    for _ in 0..MOST_JOINED {
        let before = slice(text, fresh, at).chars().next_back();
        let after = text.get(at..).and_then(|rest| rest.chars().next());
        let (Some(before), Some(after)) = (before, after) else {
            break;
        };
        let joined = joins(after) || before == '\u{200d}' || (before == '\r' && after == '\n');
        if !joined {
            return at;
        }
        at -= before.len_utf8();
    }
    // A longer one is cut like anything else.
    reach
}

const MOST_JOINED: usize = 16;

/// Marks that are drawn onto the character before ([UAX 29](https://www.unicode.org/reports/tr29/#Extend)), of the usual blocks.
const fn joins(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{93a}'..='\u{93c}' | '\u{93e}'..='\u{94f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20f0}' | '\u{3099}' | '\u{309a}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(text: &str, reach: usize) -> (u8, &str) {
        let found = Prose.best(text, 0, reach);
        (found.level, text.get(..found.at).unwrap())
    }

    #[test]
    fn the_best_place_is_taken_and_the_last_of_equals() {
        assert_eq!(best("a\n\nb\n\nc\nd. e f", 14), (PARAGRAPH, "a\n\nb"));
        assert_eq!(best("a\r\n \t\r\nb\r\nc", 11), (PARAGRAPH, "a"));
        assert_eq!(best("a\nb\nc. d e", 9), (LINE, "a\nb"));
        assert_eq!(
            best("One. Two (three.) Four five", 24),
            (SENTENCE, "One. Two (three.)")
        );
        assert_eq!(best("one two three", 12), (WORD, "one two"));
        assert_eq!(best("one twothree", 9), (CHARACTER, "one twoth"));
        assert_eq!(best("私は。猫です", 15), (SENTENCE, "私は。"));
    }

    #[test]
    fn what_ends_with_the_window_ends_there() {
        assert_eq!(best("abc\n\ndef", 3), (PARAGRAPH, "abc"));
        assert_eq!(best("abc def", 3), (WORD, "abc"));
        assert_eq!(best("A b. Cd", 4), (SENTENCE, "A b."));
    }

    #[test]
    fn abbreviations_and_numbers_end_no_sentence() {
        assert_eq!(
            first_sentence_end("Dr. J. Doe paid 3.50 e.g. here. Then"),
            Some(31)
        );
        assert_eq!(first_sentence_end("It is 0 °C. Ice"), Some(12));
        assert_eq!(first_sentence_end("He said \"no!\" Then"), Some(13));
        assert_eq!(first_sentence_end("example.com"), None);
    }

    #[test]
    fn what_is_read_as_one_character_stays_one() {
        let family = "ab👩‍👩‍👧";
        assert_eq!(best(family, family.len() - '👧'.len_utf8()), (CHARACTER, "ab"));
        assert_eq!(best("abe\u{301}", 3), (CHARACTER, "ab"));
    }
}
