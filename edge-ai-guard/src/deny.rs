use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Error, ErrorKind, Result};

use crate::fold::fold;
use crate::guard::Guard;
use crate::matcher::{Found, Matcher, Sight, Step, is_word};

/// Finds words and phrases of a list, whatever their case, width and diacritics, and however many blanks stand between words. Characters without
/// width do not hide one.
///
/// Every place in a text is looked at once, for as long as a phrase goes on there: the time is at most the text's length times the longest phrase's.
///
/// ```
/// use edge_ai_guard::{DenyList, find};
///
/// let list = DenyList::new("rivals", ["Zürich Labs", "acme"])?;
/// assert_eq!(find("ACME and zurich\u{a0}labs, not acmeist", &list).len(), 2);
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DenyList {
    name: Arc<str>,
    nodes: Arc<[Node]>,
    whole_words: bool,
    longest: usize,
}

/// A place in the tree of phrases.
#[derive(Clone, Debug, Default)]
struct Node {
    /// By the next character, in order.
    next: Vec<(char, u32)>,
    ends: bool,
}

impl DenyList {
    /// The longest phrase, in characters.
    pub const MAX_TERM: usize = 128;

    /// A list of a name, of whole words.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a list without phrases, a phrase without anything to look for or one that is too long.
    pub fn new(name: impl Into<Arc<str>>, terms: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let name = name.into();
        let mut tree = vec![Node::default()];
        let mut longest = 0;
        for term in terms {
            let term = term.as_ref();
            let wrong = |problem: &str| {
                let message = format!(
                    "the deny list `{name}`: the term `{}` {problem}",
                    term.chars().take(40).collect::<String>()
                );
                Error::new(ErrorKind::Configuration, message)
            };
            let folded = folded(term);
            let len = folded.chars().count();
            if len == 0 {
                return Err(wrong("is empty"));
            }
            if len > Self::MAX_TERM {
                return Err(wrong("has more than 128 characters"));
            }
            longest = longest.max(len);
            insert(&mut tree, &folded).ok_or_else(|| wrong("is one too many"))?;
        }
        if longest == 0 {
            let message = format!("the deny list `{name}` has no terms");
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        Ok(Self {
            name,
            nodes: tree.into(),
            whole_words: true,
            longest,
        })
    }

    /// Sets whether only whole words count, which is so unless set; else a phrase is found within words too.
    #[must_use]
    pub fn whole_words(self, whole_words: bool) -> Self {
        Self { whole_words, ..self }
    }

    fn next(&self, node: &Node, character: char) -> Option<&Node> {
        let at = node
            .next
            .binary_search_by_key(&character, |(next, _)| *next)
            .ok()?;
        let (_, next) = node.next.get(at)?;
        self.nodes.get(usize::try_from(*next).ok()?)
    }
}

fn insert(tree: &mut Vec<Node>, term: &str) -> Option<()> {
    let mut at = 0;
    for character in term.chars() {
        let new = u32::try_from(tree.len()).ok()?;
        let node = tree.get_mut(at)?;
        let next = match node.next.binary_search_by_key(&character, |(next, _)| *next) {
            Ok(found) => node.next.get(found)?.1,
            Err(place) => {
                node.next.insert(place, (character, new));
                tree.push(Node::default());
                new
            }
        };
        at = usize::try_from(next).ok()?;
    }
    tree.get_mut(at)?.ends = true;
    Some(())
}

/// A phrase as it counts: folded, with single blanks.
fn folded(term: &str) -> String {
    let mut out = String::new();
    for character in term.trim().chars().filter_map(fold) {
        if character != ' ' || !out.ends_with(' ') {
            out.push(character);
        }
    }
    out
}

impl Matcher for DenyList {
    fn window(&self) -> usize {
        // Four bytes to a character, and room for blanks and characters that do not count.
        self.longest * 4 + 64
    }

    fn step(&self, sight: &Sight<'_>) -> Step {
        if self.whole_words && !sight.at_word_start() {
            return Step::No;
        }
        let Some(mut node) = self.nodes.first() else {
            return Step::No;
        };
        let mut longest = None;
        let mut blank = false;
        let mut chars = sight.text.char_indices().peekable();
        while let Some((at, character)) = chars.next() {
            let Some(character) = fold(character) else {
                // What does not count belongs to no match at its start.
                if at == 0 {
                    return Step::No;
                }
                continue;
            };
            if character == ' ' && blank {
                continue;
            }
            blank = character == ' ';
            let Some(next) = self.next(node, character) else {
                return found(&self.name, longest);
            };
            node = next;
            if node.ends {
                let end = chars.peek().map_or(sight.text.len(), |(end, _)| *end);
                match chars.peek() {
                    _ if !self.whole_words => longest = Some(end),
                    None if !sight.complete => return Step::More,
                    Some((_, next)) if is_word(*next) || fold(*next).is_none() => {}
                    _ => longest = Some(end),
                }
            }
        }
        if sight.complete || node.next.is_empty() {
            return found(&self.name, longest);
        }
        Step::More
    }
}

fn found(name: &Arc<str>, end: Option<usize>) -> Step {
    end.map_or(Step::No, |end| Step::Match(Found::new(name.to_string(), 0, end)))
}

#[async_trait]
impl Guard for DenyList {
    fn name(&self) -> &str {
        "deny"
    }

    fn matcher(&self) -> Option<Arc<dyn Matcher>> {
        Some(Arc::new(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::find;

    fn spans(list: &DenyList, text: &str) -> Vec<String> {
        find(text, list).into_iter().map(|hit| hit.text).collect()
    }

    #[test]
    fn words_are_whole_unless_told() {
        let list = DenyList::new("x", ["ass", "class war"]).unwrap();
        assert_eq!(
            spans(&list, "Ass! class, assess, CLASS  WAR."),
            ["Ass", "CLASS  WAR"]
        );
        let within = list.whole_words(false);
        assert_eq!(spans(&within, "classes"), ["ass"]);
    }

    #[test]
    fn the_longest_phrase_counts() {
        let list = DenyList::new("x", ["new", "new york", "new york city"]).unwrap();
        assert_eq!(
            spans(&list, "new york citadel, new york city"),
            ["new york", "new york city"]
        );
    }

    #[test]
    fn disguises_do_not_help() {
        let list = DenyList::new("x", ["bomb"]).unwrap();
        for text in ["b\u{200b}omb", "ＢＯＭＢ", "bömb", "bo\u{301}mb"] {
            assert_eq!(spans(&list, text), [text], "{text:?}");
        }
    }

    #[test]
    fn bad_lists_are_refused_with_the_reason() {
        let empty: [&str; 0] = [];
        for (terms, problem) in [(Vec::from(empty), "no terms"), (vec!["\u{200b}"], "is empty")] {
            let error = DenyList::new("x", terms).unwrap_err();
            assert!(error.message().contains(problem), "{error}");
        }
        let long = "x".repeat(129);
        assert!(DenyList::new("x", [long]).unwrap_err().message().contains("128"));
    }
}
