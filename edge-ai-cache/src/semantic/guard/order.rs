use super::Difference;
use super::read::{Kind, Text};

/// The same words in other roles: who does it and to whom, from where and to where.
pub(super) fn roles(a: &Text, b: &Text) -> Option<Difference> {
    if DIRECTIONS.iter().any(|preposition| turned(a, b, preposition)) {
        return Some(Difference::Order);
    }
    let (left, right) = (content(a), content(b));
    let same_bag = {
        let (mut left, mut right) = (left.clone(), right.clone());
        left.sort_unstable();
        right.sort_unstable();
        left == right
    };
    // An active and a passive of the same meaning change places; without that, or both as they were, the roles are others.
    let passive = a.has("by") != b.has("by");
    (same_bag && (left == right) == passive).then_some(Difference::Order)
}

const DIRECTIONS: &[&str] = &[
    "from", "to", "into", "onto", "than", "against", "of", "on", "by", "over", "under",
];

/// Whether what stands behind a preposition in one stands elsewhere in the other, and the other way round.
fn turned(a: &Text, b: &Text, preposition: &str) -> bool {
    let Some((left, right)) = object(a, preposition).zip(object(b, preposition)) else {
        return false;
    };
    left != right && b.has_stem(left) && a.has_stem(right)
}

/// What stands behind a preposition that is there once.
fn object<'t>(text: &'t Text, preposition: &str) -> Option<&'t str> {
    let mut places = text
        .words
        .iter()
        .enumerate()
        .filter(|(_, word)| word.lower == preposition);
    let (at, _) = places.next()?;
    if places.next().is_some() {
        return None;
    }
    let mut rest = text.words.iter().skip(at + 1);
    rest.find(|word| word.kind != Kind::Function)
        .map(|word| word.stem.as_str())
}

fn content(text: &Text) -> Vec<&str> {
    let content = text.words.iter().filter(|word| word.kind != Kind::Function);
    content.map(|word| word.stem.as_str()).collect()
}
