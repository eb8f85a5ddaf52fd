use std::borrow::Cow;
use std::fmt;

/// Finds something in a text that may still be arriving.
///
/// A matcher is asked at every character, in order, whether something starts there. It must answer by what it sees alone, the character before and
/// the text from there on, so that it finds the same however the text was cut on its way: as long as what comes next could change the answer, it
/// says [`Step::More`]. It is never shown more than its [window](Self::window), and must decide within it.
///
/// ```
/// use edge_ai_guard::{Found, Matcher, Sight, Step, find};
///
/// /// Ticket numbers: `T-` and four digits.
/// #[derive(Clone, Debug)]
/// struct Ticket;
///
/// impl Matcher for Ticket {
///     fn window(&self) -> usize {
///         6
///     }
///
///     fn step(&self, sight: &Sight<'_>) -> Step {
///         let text = sight.text;
///         let digits = text.bytes().skip(2).take(4).take_while(u8::is_ascii_digit).count();
///         match () {
///             () if !text.starts_with("T-") && !"T-".starts_with(text) => Step::No,
///             () if digits == 4 => Step::Match(Found::new("ticket", 0, 6)),
///             () if text.len() < 2 + digits + 1 && !sight.complete => Step::More,
///             () => Step::No,
///         }
///     }
/// }
///
/// let hits = find("see T-1234 and T-12", &Ticket);
/// assert_eq!((hits.len(), hits[0].span.clone()), (1, 4..10));
/// ```
pub trait Matcher: fmt::Debug + Send + Sync + 'static {
    /// How many bytes from the start of a match are needed at most to be sure of it: what a stream holds back.
    fn window(&self) -> usize;

    /// Whether something starts where `sight` starts.
    fn step(&self, sight: &Sight<'_>) -> Step;
}

/// What a matcher sees at a place in a text.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sight<'a> {
    /// The character before the place.
    pub before: Option<char>,
    /// The text from the place on, up to the window; never empty.
    pub text: &'a str,
    /// Nothing comes after `text`, or the window ends there.
    pub complete: bool,
}

impl<'a> Sight<'a> {
    /// A place in a text.
    pub const fn new(before: Option<char>, text: &'a str, complete: bool) -> Self {
        Self {
            before,
            text,
            complete,
        }
    }

    /// Whether no letter, digit or underscore stands before.
    pub fn at_word_start(&self) -> bool {
        !self.before.is_some_and(is_word)
    }

    /// Whether a word goes on at a byte of the text; `None` when that is not known yet.
    pub(crate) fn goes_on(&self, at: usize) -> Option<bool> {
        match self.text.get(at..)?.chars().next() {
            Some(next) => Some(is_word(next)),
            None if self.complete => Some(false),
            None => None,
        }
    }

    /// The byte at which the run of characters from `from` on ends, at most `max` bytes later; `None` when it may go on.
    pub(crate) fn run(&self, from: usize, max: usize, is_in: impl Fn(char) -> bool) -> Option<usize> {
        let rest = self.text.get(from..)?;
        for (at, next) in rest.char_indices() {
            if at >= max || !is_in(next) {
                return Some(from + at);
            }
        }
        (self.complete || rest.len() >= max).then_some(self.text.len())
    }
}

/// A letter, a digit or an underscore, in any script.
pub(crate) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What a matcher says of a place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Nothing starts here.
    No,
    /// More of the text is needed to tell.
    More,
    /// Something starts here.
    Match(Found),
}

/// What starts at a place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// What it is, such as `email`.
    pub category: Cow<'static, str>,
    /// Where it starts, in bytes from the place: after a name for what is assigned to it, for example.
    pub start: usize,
    /// Where it ends, in bytes from the place; it may go on by `tail`.
    pub end: usize,
    /// What else belongs to it.
    pub tail: Tail,
}

impl Step {
    /// Whether nothing starts here.
    pub const fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }
}

impl Found {
    /// Something from `start` to `end`.
    pub fn new(category: impl Into<Cow<'static, str>>, start: usize, end: usize) -> Self {
        Self {
            category: category.into(),
            start,
            end,
            tail: Tail::None,
        }
    }

    /// Sets what else belongs to it.
    #[must_use]
    pub fn with_tail(self, tail: Tail) -> Self {
        Self { tail, ..self }
    }
}

/// What belongs to a match after its end. It needs no window: that it belongs is known.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Tail {
    /// Nothing.
    None,
    /// The characters of a set, as long as they come.
    While(fn(char) -> bool),
    /// Everything up to these marks, one after the other, the last one included; at most 16 KiB.
    Through(&'static [&'static str]),
}
