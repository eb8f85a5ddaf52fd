//! Words and sentences: what the answers, the tool choice and the embeddings all read a text by.

/// Words that say nothing about what a text is about.
const STOPWORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but",
    "by", "can", "could", "did", "do", "does", "for", "from", "get", "give", "had", "has", "have", "he",
    "her", "hi", "hello", "his", "how", "i", "if", "in", "is", "it", "its", "just", "me", "my", "no", "not",
    "of", "on", "or", "our", "please", "she", "should", "so", "some", "tell", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "to", "use", "using", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

/// Lower-case words of a text, stopwords included.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
}

/// Stemmed lower-case words that carry meaning.
pub(crate) fn content_words(text: &str) -> impl Iterator<Item = String> + '_ {
    words(text)
        .filter(|w| !is_stopword(w))
        .map(|w| stem(&w).to_owned())
}

pub(crate) fn is_stopword(word: &str) -> bool {
    STOPWORDS.contains(&word)
}

/// Takes the commonest English endings off, so that "cities" and "city", "shipped" and "ship" meet.
pub(crate) fn stem(word: &str) -> &str {
    for ending in ["ing", "ies", "ied", "ed", "es", "s", "y", "e"] {
        if let Some(root) = word.strip_suffix(ending)
            && root.chars().count() >= 3
            && !(ending == "s" && root.ends_with('s'))
        {
            return undouble(root);
        }
    }
    word
}

fn undouble(root: &str) -> &str {
    let mut tail = root.chars().rev();
    match (tail.next(), tail.next()) {
        (Some(a), Some(b)) if a == b && !"aeiouls".contains(a) => &root[..root.len() - a.len_utf8()],
        _ => root,
    }
}

/// Splits a text into sentences: at `.`, `!`, `?` followed by whitespace, and at line ends.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    for line in text.lines() {
        let mut start = 0;
        let mut chars = line.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let ends = matches!(c, '.' | '!' | '?' | '。' | '！' | '？')
                && chars
                    .peek()
                    .is_none_or(|(_, next)| next.is_whitespace() || c as u32 > 127);
            if ends {
                let end = at + c.len_utf8();
                push_trimmed(&mut sentences, &line[start..end]);
                start = end;
            }
        }
        push_trimmed(&mut sentences, &line[start..]);
    }
    sentences
}

fn push_trimmed<'a>(into: &mut Vec<&'a str>, text: &'a str) {
    let text = text.trim();
    if text.chars().any(char::is_alphanumeric) {
        into.push(text);
    }
}

/// The first `max` characters of a text, with an ellipsis when something was left off.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn inflections_meet_in_one_stem() {
        for (a, b) in [
            ("cities", "city"),
            ("shipped", "ship"),
            ("shipping", "ship"),
            ("prices", "price"),
        ] {
            assert_eq!(stem(a), stem(b), "{a} and {b}");
        }
        assert_eq!(stem("class"), "class");
        assert_eq!(stem("is"), "is");
    }

    #[test]
    fn sentences_end_at_marks_and_lines() {
        assert_eq!(
            sentences("One. Two v1.5 is out! Three?\nFour\n\n--"),
            ["One.", "Two v1.5 is out!", "Three?", "Four"]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = sentences(&text);
            let _: Vec<String> = content_words(&text).collect();
            let _ = shorten(&text, 5);
        }
    }
}
