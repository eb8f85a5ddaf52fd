//! What makes two similar questions different ones.

mod order;
mod read;
mod rules;
mod tables;
mod tense;

use read::Text;

/// Why two questions that look alike are not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Difference {
    /// One denies what the other says.
    Negation,
    /// Another number, date, time or version.
    Number,
    /// Another unit.
    Unit,
    /// Another name in code: an option, a function, a path, an address.
    Identifier,
    /// Another proper name.
    Name,
    /// Opposites: on and off, before and after.
    Antonym,
    /// Another time: is, was, will be.
    Tense,
    /// Another thing is asked: who, when, how many; can, must.
    Question,
    /// The same words in other roles.
    Order,
    /// Nearly the same words, and those that differ are not known to mean the same.
    Wording,
}

/// What speaks against taking one question for the other, however near their vectors are; `None` if nothing does.
///
/// Vectors of negations, opposites and other numbers lie as near as those of paraphrases, so this reads the words: tables for English
/// (negation, opposites, tenses, units, question words), and shapes for all languages (digits, identifiers, capitals, order). A pair that differs in
/// a place or two is the one that vectors tell least about: there it passes only what it knows to be synonyms. Of texts without
/// English in them it passes only the same words in the same order.
///
/// It errs on the side of asking the model again, and it is no proof: what it does not know is in its favor only where several words differ. The
/// [result](https://github.com/edge-ai-rs/edge-ai/tree/main/benches/results) says how often that goes wrong.
///
/// ```
/// use edge_ai_cache::{Difference, difference};
///
/// assert_eq!(difference("How do I turn on dark mode?", "How do I turn off dark mode?"), Some(Difference::Antonym));
/// assert_eq!(difference("How do I turn on dark mode?", "How can I switch on the dark mode?"), None);
/// ```
pub fn difference(a: &str, b: &str) -> Option<Difference> {
    let (a, b) = (Text::read(a), Text::read(b));
    if a.same_words(&b) {
        return None;
    }
    let checks: [fn(&Text, &Text) -> Option<Difference>; 9] = [
        rules::numbers,
        rules::units,
        rules::identifiers,
        rules::negation,
        rules::antonyms,
        tense::tense,
        rules::question,
        rules::names,
        order::roles,
    ];
    let found = checks.iter().find_map(|check| check(&a, &b));
    found.or_else(|| rules::wording(&a, &b))
}
