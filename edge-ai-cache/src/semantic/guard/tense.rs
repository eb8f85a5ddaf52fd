use super::Difference;
use super::read::{Text, stem};
use super::tables::IRREGULAR;

/// Whether the two speak of another time.
pub(super) fn tense(a: &Text, b: &Text) -> Option<Difference> {
    let differs = future(a) != future(b) || past(a) != past(b) || bent(a, b) || bent(b, a);
    differs.then_some(Difference::Tense)
}

fn future(text: &Text) -> bool {
    text.has("will") || text.has("shall") || text.has("gonna")
}

fn past(text: &Text) -> bool {
    let mut words = text.words.iter().enumerate();
    words.any(|(at, word)| match word.lower.as_str() {
        "was" | "were" | "did" | "had" => true,
        // "used to be", and not "is used to".
        "used" => text.after(at) == "to" && !led(text, at),
        _ => false,
    })
}

/// Whether one has the past of a verb whose present the other has.
fn bent(a: &Text, b: &Text) -> bool {
    let mut words = a.words.iter().enumerate();
    words.any(|(at, word)| {
        let Some(base) = base(&word.lower) else {
            return false;
        };
        !b.has(&word.lower)
            && !led(a, at)
            && b.words
                .iter()
                .any(|other| other.stem == base && self::base(&other.lower).is_none())
    })
}

/// The stem of the verb whose past a word is.
fn base(word: &str) -> Option<String> {
    if let Some((_, base)) = IRREGULAR.iter().find(|(past, _)| *past == word) {
        return Some(stem(base));
    }
    (word.len() > 4 && word.ends_with("ed")).then(|| stem(word))
}

/// Whether the word is a participle: before `by`, or behind a form of be, have or get, an article or a preposition.
fn led(text: &Text, at: usize) -> bool {
    text.after(at) == "by"
        || (1..=2).any(|back| {
            matches!(
                text.before(at, back),
                "is" | "are"
                    | "be"
                    | "been"
                    | "being"
                    | "am"
                    | "was"
                    | "were"
                    | "has"
                    | "have"
                    | "had"
                    | "having"
                    | "get"
                    | "gets"
                    | "got"
            )
        })
        || matches!(
            text.before(at, 1),
            "the"
                | "a"
                | "an"
                | "by"
                | "as"
                | "for"
                | "when"
                | "if"
                | "of"
                | "with"
                | "your"
                | "my"
                | "their"
                | "its"
        )
}
