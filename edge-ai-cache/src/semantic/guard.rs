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
/// It errs on the side of asking the model again, and it is no proof: where several words differ it trusts the vectors, so that two topics that an
/// embedder puts near, such as apple pie and lemon cake, pass. `cargo xtask bench semantic` says how often that is.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_differs_is_said() {
        use Difference::*;
        for (a, b, expected) in [
            (
                "Are the pills safe for children?",
                "Are the pills not safe for children?",
                Negation,
            ),
            ("Is this mushroom edible?", "Is this mushroom inedible?", Negation),
            (
                "Explain article 6 of the convention.",
                "Explain article 8 of the convention.",
                Number,
            ),
            ("Is 5mg a normal dose?", "Is 5g a normal dose?", Unit),
            ("What does max_age do?", "What does min_fresh do?", Identifier),
            (
                "What is the capital of Austria?",
                "What is the capital of Australia?",
                Name,
            ),
            (
                "What should I do before it?",
                "What should I do after it?",
                Antonym,
            ),
            ("Who wins the cup?", "Who won the cup?", Tense),
            ("Who founded it?", "When was it founded?", Tense),
            ("Why does it stop?", "How does it stop?", Question),
            ("Does Ann report to Bob?", "Does Bob report to Ann?", Order),
            ("Was Ann paid by Bob?", "Was Bob paid by Ann?", Order),
            (
                "How do I paint a red door?",
                "How do I paint a blue door?",
                Wording,
            ),
            (
                "Wie schalte ich das Licht an?",
                "Wie schalte ich das Licht aus?",
                Wording,
            ),
            (
                "\u{5982}\u{4f55}\u{6253}\u{5f00}",
                "\u{5982}\u{4f55}\u{5173}\u{95ed}",
                Wording,
            ),
        ] {
            assert_eq!(difference(a, b), Some(expected), "{a} | {b}");
            assert!(difference(b, a).is_some(), "{b} | {a}");
        }
    }

    #[test]
    fn paraphrases_pass() {
        for (a, b) in [
            ("How do I reset my password?", "how can I reset my password"),
            ("How do I delete a user?", "How can I remove a user?"),
            ("What is 1,000 dollars in yen?", "What is $1000 in yen?"),
            ("Does the dog chase the cat?", "Is the cat chased by the dog?"),
            (
                "The function `iter_files` iterates over paths.",
                "Paths are iterated by the iter_files() function.",
            ),
            ("You can't do it in two days.", "You cannot do it in 2 days."),
        ] {
            assert_eq!(difference(a, b), None, "{a} | {b}");
        }
    }

    proptest! {
        #[test]
        fn any_texts_are_compared_and_a_text_is_like_itself(a in "\\PC{0,60}", b in "\\PC{0,60}") {
            let _ = difference(&a, &b);
            prop_assert_eq!(difference(&a, &a), None);
        }
    }
}
