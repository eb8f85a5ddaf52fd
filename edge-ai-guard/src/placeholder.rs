use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::matcher::{Found, Matcher, Sight, Step};

/// Stable names for texts that a model must not see: `[EMAIL_1]` for the first e-mail address, wherever it stands.
///
/// It belongs to one request and is never stored. As a [`Matcher`] it finds the names in an answer; [`original`](Self::original) is what they
/// stand for.
///
/// ```
/// use edge_ai_guard::Placeholders;
///
/// let mut names = Placeholders::default();
/// let name = names.name("email", "ada@example.com");
/// assert_eq!(name, "[EMAIL_1]");
/// assert_eq!(names.name("email", "ada@example.com"), name);
/// assert_eq!(names.original("[EMAIL_1]"), Some("ada@example.com"));
/// ```
#[derive(Clone, Default)]
pub struct Placeholders {
    /// By what a name stands for, with its category.
    names: BTreeMap<(String, String), String>,
    originals: BTreeMap<String, String>,
    /// The number given last, for each category.
    last: BTreeMap<String, u32>,
    /// Names that the texts had in them before: they stand for themselves.
    taken: BTreeSet<String>,
    longest: usize,
}

/// The longest name, in bytes.
const MAX_NAME: usize = 72;

impl Placeholders {
    /// Keeps names that `text` has in it already from being given out.
    pub fn reserve(&mut self, text: &str) {
        for (at, _) in text.match_indices('[') {
            if let Some(name) = text.get(at..).and_then(name_at) {
                self.taken.insert(name.to_ascii_uppercase());
            }
        }
    }

    /// The name for a text of a category; the same text has the same name.
    pub fn name(&mut self, category: &str, original: &str) -> String {
        let name = self.name_for_good(category, original);
        self.longest = self.longest.max(name.len());
        self.originals.insert(name.clone(), original.to_owned());
        name
    }

    /// The same, for a text that is not put back.
    pub(crate) fn name_for_good(&mut self, category: &str, original: &str) -> String {
        let key = (category.to_owned(), original.to_owned());
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let label = label(category);
        let last = self.last.entry(label.clone()).or_default();
        let name = loop {
            *last = last.saturating_add(1);
            let name = format!("[{label}_{last}]");
            if !self.taken.contains(&name) {
                break name;
            }
        };
        self.names.insert(key, name.clone());
        name
    }

    /// What a name stands for. Models change the case of names: it does not matter.
    pub fn original(&self, name: &str) -> Option<&str> {
        self.originals.get(&name.to_ascii_uppercase()).map(String::as_str)
    }

    /// Whether no name was given out.
    pub fn is_empty(&self) -> bool {
        self.originals.is_empty()
    }
}

/// What stands where a text was taken out for good: `[EMAIL]`.
pub(crate) fn mark(category: &str) -> String {
    format!("[{}]", label(category))
}

/// A category in a name: capitals, digits and underscores.
fn label(category: &str) -> String {
    let mut label = String::new();
    for character in category.chars().take(48) {
        let fits = character.is_ascii_alphanumeric();
        label.push(if fits { character.to_ascii_uppercase() } else { '_' });
    }
    label
}

/// The name that `text` starts with: brackets around capitals, digits and underscores, in any case.
fn name_at(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('[')?;
    let len = inside
        .bytes()
        .take(MAX_NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    (len > 0 && inside.as_bytes().get(len) == Some(&b']')).then(|| text.get(..len + 2))?
}

impl Matcher for Placeholders {
    fn window(&self) -> usize {
        self.longest
    }

    fn step(&self, sight: &Sight<'_>) -> Step {
        if !sight.text.starts_with('[') {
            return Step::No;
        }
        if let Some(name) = name_at(sight.text) {
            return match self.original(name) {
                Some(_) => Step::Match(Found::new("placeholder", 0, name.len())),
                None => Step::No,
            };
        }
        if sight.complete {
            return Step::No;
        }
        // Only as long as one of the names goes on like this.
        let begun = sight.text.to_ascii_uppercase();
        let next = self.originals.range(begun.clone()..).next();
        match next {
            Some((name, _)) if name.starts_with(&begun) => Step::More,
            _ => Step::No,
        }
    }
}

/// Without the texts.
impl std::fmt::Debug for Placeholders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names = String::new();
        for name in self.originals.keys() {
            let _ = write!(names, "{name}");
        }
        f.debug_tuple("Placeholders").field(&names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_there_before_stand_for_themselves() {
        let mut names = Placeholders::default();
        names.reserve("what is [EMAIL_1]? and [email_2] [ [X");
        assert_eq!(names.name("email", "a@b.co"), "[EMAIL_3]");
        assert_eq!(names.original("[EMAIL_1]"), None);
    }

    #[test]
    fn it_shows_names_alone() {
        let mut names = Placeholders::default();
        names.name("email", "ada@example.com");
        assert_eq!(format!("{names:?}"), "Placeholders(\"[EMAIL_1]\")");
    }

    #[test]
    fn only_the_beginning_of_a_name_is_held_back() {
        let mut names = Placeholders::default();
        names.name("email", "ada@example.com");
        let waits = |text: &str| matches!(names.step(&Sight::new(None, text, false)), Step::More);
        assert!(waits("[em"));
        assert!(!waits("[link"));
        assert!(!waits("[EMAIL_2"));
    }
}
