use std::collections::BTreeSet;

use super::Difference;
use super::read::{Kind, Text, Word};
use super::tables::{ANTONYMS, DERIVED, LIGHT, NEGATORS, PREFIXES, SYNONYMS};

pub(super) fn numbers(a: &Text, b: &Text) -> Option<Difference> {
    let of = |text: &Text| -> Vec<String> {
        let mut numbers: Vec<_> = text
            .words
            .iter()
            .filter_map(|word| match &word.kind {
                Kind::Number(number) => Some(number.clone()),
                _ => None,
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    (of(a) != of(b)).then_some(Difference::Number)
}

pub(super) fn units(a: &Text, b: &Text) -> Option<Difference> {
    let of = |text: &Text| -> BTreeSet<&'static str> {
        text.words
            .iter()
            .filter_map(|word| match word.kind {
                Kind::Unit(unit) => Some(unit),
                _ => None,
            })
            .collect()
    };
    (of(a) != of(b)).then_some(Difference::Unit)
}

/// Each identifier of one is in the other, there perhaps as a plain word.
pub(super) fn identifiers(a: &Text, b: &Text) -> Option<Difference> {
    let lacks = |a: &Text, b: &Text| {
        let mut named = a.words.iter().filter(|word| word.kind == Kind::Identifier);
        named.any(|word| !b.has(&word.lower) && !b.has_stem(&word.stem))
    };
    (lacks(a, b) || lacks(b, a)).then_some(Difference::Identifier)
}

/// Each name of one is in the other.
pub(super) fn names(a: &Text, b: &Text) -> Option<Difference> {
    let lacks = |a: &Text, b: &Text| {
        let mut named = a.words.iter().filter(|word| word.name);
        named.any(|word| !b.has_stem(&word.stem))
    };
    (lacks(a, b) || lacks(b, a)).then_some(Difference::Name)
}

/// Two negations cancel each other; a word and the same with a prefix that denies it do not.
pub(super) fn negation(a: &Text, b: &Text) -> Option<Difference> {
    let count = |text: &Text| {
        text.words
            .iter()
            .filter(|word| NEGATORS.contains(&word.lower.as_str()))
            .count()
    };
    if count(a) % 2 != count(b) % 2 {
        return Some(Difference::Negation);
    }
    let denied = |a: &Text, b: &Text| {
        let own = a.words.iter().filter(|word| !b.has_stem(&word.stem));
        own.flat_map(|word| {
            PREFIXES
                .iter()
                .filter_map(|prefix| word.stem.strip_prefix(prefix))
        })
        .any(|rest| rest.len() > 2 && b.has_stem(rest) && !a.has_stem(rest))
    };
    (denied(a, b) || denied(b, a)).then_some(Difference::Negation)
}

pub(super) fn antonyms(a: &Text, b: &Text) -> Option<Difference> {
    let only = |text: &Text, other: &Text, word: &str| {
        let is = |found: &Word| found.lower == word || found.stem == super::read::stem(word);
        text.words.iter().any(is) && !other.words.iter().any(is)
    };
    let opposed = ANTONYMS.iter().any(|(left, right)| {
        let sides = |a: &Text, b: &Text| {
            left.iter().any(|word| only(a, b, word)) && right.iter().any(|word| only(b, a, word))
        };
        sides(a, b) || sides(b, a)
    });
    opposed.then_some(Difference::Antonym)
}

/// What two questions ask for: by their question words, and by what may, must or should be.
pub(super) fn question(a: &Text, b: &Text) -> Option<Difference> {
    if !a.asks || !b.asks {
        return None;
    }
    let differs = |a: Option<&str>, b: Option<&str>| a.zip(b).is_some_and(|(a, b)| a != b);
    (differs(asked(a).as_deref(), asked(b).as_deref()) || differs(modal(a), modal(b)))
        .then_some(Difference::Question)
}

fn asked(text: &Text) -> Option<String> {
    let (at, word) = text.words.iter().enumerate().find(|(_, word)| {
        matches!(
            word.lower.as_str(),
            "who" | "whom" | "whose" | "what" | "which" | "when" | "where" | "why" | "how"
        )
    })?;
    Some(match (word.lower.as_str(), text.after(at)) {
        (
            "how",
            measure @ ("many" | "much" | "often" | "long" | "old" | "tall" | "far" | "fast" | "big" | "large"
            | "high" | "deep" | "heavy"),
        ) => {
            format!("how {measure}")
        }
        ("what" | "which", "time") => "when".to_owned(),
        ("what" | "which", _) => "what".to_owned(),
        ("who" | "whom", _) => "who".to_owned(),
        (word, _) => word.to_owned(),
    })
}

fn modal(text: &Text) -> Option<&'static str> {
    text.words
        .iter()
        .enumerate()
        .find_map(|(at, word)| match word.lower.as_str() {
            "can" | "could" | "may" | "might" => Some("can"),
            "should" | "ought" => Some("should"),
            "must" | "required" | "mandatory" => Some("must"),
            "have" | "has" | "need" if text.after(at) == "to" => Some("must"),
            _ => None,
        })
}

/// A pair that differs in few words: these must be synonyms, each of one of the other.
pub(super) fn wording(a: &Text, b: &Text) -> Option<Difference> {
    let own = |a: &Text, b: &Text| -> Vec<String> {
        let own = a
            .words
            .iter()
            .filter(|word| word.kind == Kind::Content && !b.has_stem(&word.stem));
        own.map(|word| word.stem.clone()).collect()
    };
    let (mut left, mut right) = (own(a, b), own(b, a));
    left.retain(
        |word| match right.iter().position(|other| mean_the_same(word, other)) {
            Some(at) => {
                right.remove(at);
                false
            }
            None => true,
        },
    );
    let is_light = |word: &String| LIGHT.iter().any(|light| super::read::stem(light) == *word);
    for side in [&mut left, &mut right] {
        side.retain(|word| !is_light(word));
    }
    let few = is_few(left.len(), right.len());
    let foreign = !(a.english && b.english) && left.len() + right.len() > 0;
    (few || foreign).then_some(Difference::Wording)
}

/// Whether two stems are synonyms, or of one word.
fn mean_the_same(a: &str, b: &str) -> bool {
    let derived = || {
        let shared = a.char_indices().zip(b.chars()).take_while(|((_, a), b)| a == b);
        let Some(((last, _), _)) = shared.last().filter(|((last, _), _)| *last >= 4) else {
            return false;
        };
        // Where the shared part ends, an ending may have begun already.
        (4..=last + 1).any(|at| {
            let rest = |word: &str| word.get(at..).is_some_and(|rest| DERIVED.contains(&rest));
            rest(a) && rest(b)
        })
    };
    let synonyms = || {
        SYNONYMS.iter().any(|group| {
            let is = |stem: &str| group.iter().any(|word| super::read::stem(word) == stem);
            is(a) && is(b)
        })
    };
    derived() || synonyms()
}

/// Whether one only adds to the other, or they differ in a place or two.
fn is_few(a: usize, b: usize) -> bool {
    let (fewer, more) = (a.min(b), a.max(b));
    more > 0 && (fewer == 0 || (fewer == 1 && more <= 2))
}
