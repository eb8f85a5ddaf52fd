//! A text in pieces, scanned as if it were whole.

mod json;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::matcher::{Found, Matcher, Sight, Step, Tail};

use json::Decoded;
pub(crate) use json::escaped;

/// The longest tail that ends at a mark.
const MAX_TAIL: usize = 16 << 10;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// As it is.
    Plain,
    /// As JSON, such as a tool call's arguments: what is found is found behind escapes too, and what replaces it is escaped.
    Json,
}

/// Something that a matcher found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit {
    /// Which of the matchers.
    pub matcher: usize,
    /// What it is.
    pub category: Cow<'static, str>,
    /// Where, in bytes of the text as it is written.
    pub span: Range<usize>,
    /// The text that was found, without escapes.
    pub text: String,
    /// In JSON: it stands outside a string, as a number.
    pub bare: bool,
}

/// Finds everything in a whole text.
///
/// ```
/// use edge_ai_guard::{Pii, find};
///
/// let hits = find("write to ada@example.com", &Pii::all());
/// assert_eq!((hits[0].category.as_ref(), hits[0].span.clone()), ("email", 9..24));
/// ```
pub fn find(text: &str, matcher: &(impl Matcher + Clone)) -> Vec<Hit> {
    let matchers: Arc<[Arc<dyn Matcher>]> = Arc::new([Arc::new(matcher.clone()) as Arc<dyn Matcher>]);
    find_all(text, Encoding::Plain, &matchers)
}

/// Finds everything that any of the matchers finds; where several find something at the same place, the first of them.
pub(crate) fn find_all(text: &str, encoding: Encoding, matchers: &Arc<[Arc<dyn Matcher>]>) -> Vec<Hit> {
    if matchers.is_empty() {
        return Vec::new();
    }
    let mut scanner = Scanner::new(Arc::clone(matchers), encoding);
    let mut pieces = scanner.push(text);
    pieces.extend(scanner.finish());
    let mut hits: Vec<Hit> = Vec::new();
    let mut at = 0;
    for piece in pieces {
        let span = at..at + piece.len;
        at = span.end;
        match piece.kind {
            PieceKind::Plain => {}
            PieceKind::Hit {
                matcher,
                category,
                bare,
            } => hits.push(Hit {
                matcher,
                category,
                span,
                text: piece.text,
                bare,
            }),
            PieceKind::Tail => {
                if let Some(hit) = hits.last_mut() {
                    hit.span.end = span.end;
                    hit.text.push_str(&piece.text);
                }
            }
        }
    }
    hits
}

/// A decided piece of a text: pieces follow each other without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// How many bytes of the text as it is written.
    pub(crate) len: usize,
    pub(crate) kind: PieceKind,
    /// What was found, without escapes; empty for a plain piece.
    pub(crate) text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// Nothing was found in it.
    Plain,
    /// It was found.
    Hit {
        matcher: usize,
        category: Cow<'static, str>,
        bare: bool,
    },
    /// It belongs to the hit before.
    Tail,
}

/// Scans one text as it arrives.
///
/// What is decided comes out as pieces; what is not, at most the largest [window](Matcher::window) of the matchers, is held. Any way of
/// cutting the text gives the same hits.
#[derive(Debug)]
pub struct Scanner {
    matchers: Arc<[Arc<dyn Matcher>]>,
    encoding: Encoding,
    /// Not decided yet, as it is written.
    pending: String,
    before: Option<char>,
    open: Option<Open>,
    /// In JSON: `pending` starts within a string.
    in_string: bool,
}

/// A hit that goes on.
#[derive(Debug)]
enum Open {
    While(fn(char) -> bool),
    Through {
        marks: &'static [&'static str],
        left: usize,
    },
}

impl Scanner {
    /// A scanner at the beginning of a text.
    pub fn new(matchers: Arc<[Arc<dyn Matcher>]>, encoding: Encoding) -> Self {
        Self {
            matchers,
            encoding,
            pending: String::new(),
            before: None,
            open: None,
            in_string: false,
        }
    }

    /// Takes more of the text.
    pub(crate) fn push(&mut self, text: &str) -> Vec<Piece> {
        self.pending.push_str(text);
        self.advance(false)
    }

    /// The text is at its end.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        self.advance(true)
    }

    fn advance(&mut self, complete: bool) -> Vec<Piece> {
        let pending = std::mem::take(&mut self.pending);
        let decoded = Decoded::new(&pending, self.encoding, complete);
        let text = decoded.text();
        let mut cutter = Cutter {
            decoded: &decoded,
            raw: &pending,
            in_string: self.in_string,
            written: 0,
            pieces: Vec::new(),
        };
        let mut at = 0;
        let mut plain_from = 0;
        let mut quote = decoded.next_quote(0);
        while at < text.len() {
            if let Some(open) = self.open.take() {
                // Within JSON, nothing goes on past the string that it is in.
                if quote < at {
                    quote = decoded.next_quote(at);
                }
                let ends = quote < text.len();
                let (end, still) = open.take(text.get(..quote).unwrap_or(text), at, complete || ends);
                cutter.cut(plain_from..end, PieceKind::Tail);
                plain_from = end;
                at = end;
                if still.is_some() && !ends {
                    self.open = still;
                    break;
                }
                continue;
            }
            match self.step(&decoded, at, complete) {
                (_, Step::More) => break,
                (_, Step::No) => {
                    let next = text.get(at..).and_then(|rest| rest.chars().next());
                    self.before = next;
                    at += next.map_or(1, char::len_utf8);
                }
                (matcher, Step::Match(found)) => {
                    let Found {
                        category,
                        start,
                        end,
                        tail,
                    } = found;
                    cutter.cut(plain_from..at + start, PieceKind::Plain);
                    let hit = PieceKind::Hit {
                        matcher,
                        category,
                        bare: false,
                    };
                    cutter.cut(at + start..at + end, hit);
                    // What was found is no part of what comes after it.
                    self.before = None;
                    at += end;
                    plain_from = at;
                    self.open = match tail {
                        Tail::None => None,
                        Tail::While(set) => Some(Open::While(set)),
                        Tail::Through(marks) => Some(Open::Through {
                            marks,
                            left: MAX_TAIL,
                        }),
                    };
                }
            }
        }
        cutter.cut(plain_from..at, PieceKind::Plain);
        let Cutter {
            in_string,
            written,
            pieces,
            ..
        } = cutter;
        self.in_string = in_string;
        drop(decoded);
        self.pending = pending;
        self.pending.drain(..written);
        pieces
    }

    /// The first matcher that finds something at a place, or needs more to tell.
    fn step(&self, decoded: &Decoded<'_>, at: usize, complete: bool) -> (usize, Step) {
        let rest = decoded.text().get(at..).unwrap_or_default();
        for (index, matcher) in self.matchers.iter().enumerate() {
            let window = rest.floor_char_boundary(matcher.window());
            let shown = rest.get(..window).unwrap_or(rest);
            let ends = complete || shown.len() < rest.len() || rest.len() >= matcher.window();
            match matcher.step(&Sight::new(self.before, shown, ends)) {
                Step::No => {}
                Step::More if ends => {}
                Step::Match(found) if !is_sound(&found, shown) => {}
                Step::Match(found) if decoded.has_quote(at + found.start..at + found.end) => {}
                step => return (index, step),
            }
        }
        (0, Step::No)
    }
}

/// A match that makes progress and stays between characters.
fn is_sound(found: &Found, shown: &str) -> bool {
    found.start < found.end && shown.is_char_boundary(found.start) && shown.is_char_boundary(found.end)
}

impl Open {
    /// Where the tail ends in `text` from `at` on, and what still waits for more.
    fn take(self, text: &str, at: usize, complete: bool) -> (usize, Option<Self>) {
        let rest = text.get(at..).unwrap_or_default();
        match self {
            Self::While(set) => match rest.find(|next| !set(next)) {
                Some(len) => (at + len, None),
                None => (text.len(), Some(self)),
            },
            Self::Through { marks, left } => {
                let Some((mark, others)) = marks.split_first() else {
                    return (at, None);
                };
                let reach = rest.floor_char_boundary(left);
                if let Some(found) = rest.get(..reach).and_then(|rest| rest.find(mark)) {
                    let end = found + mark.len();
                    let open = Self::Through {
                        marks: others,
                        left: left - end,
                    };
                    return open.take(text, at + end, complete);
                }
                if complete || rest.len() >= left {
                    return (at + reach, None);
                }
                // The mark may have begun.
                let sure = rest.floor_char_boundary(rest.len().saturating_sub(mark.len() - 1));
                (
                    at + sure,
                    Some(Self::Through {
                        marks,
                        left: left - sure,
                    }),
                )
            }
        }
    }
}

/// Cuts the text as it is written by places in the text as it reads.
struct Cutter<'a> {
    decoded: &'a Decoded<'a>,
    raw: &'a str,
    in_string: bool,
    written: usize,
    pieces: Vec<Piece>,
}

impl Cutter<'_> {
    fn cut(&mut self, span: Range<usize>, mut kind: PieceKind) {
        if span.is_empty() {
            return;
        }
        let end = self.decoded.raw_position(span.end);
        let raw = self.raw.get(self.written..end).unwrap_or_default();
        if let PieceKind::Hit { bare, .. } = &mut kind {
            *bare = self.decoded.is_json() && !self.in_string;
        }
        if self.decoded.is_json() {
            self.in_string = json::in_string_after(raw, self.in_string);
        }
        let text = match kind {
            PieceKind::Plain => "",
            _ => self.decoded.text().get(span).unwrap_or_default(),
        };
        self.pieces.push(Piece {
            len: raw.len(),
            kind,
            text: text.to_owned(),
        });
        self.written = end;
    }
}
