//! Token counts: one deterministic approximation, the same for a JSON answer and for the stream of it.

/// Longest run of letters or digits counted as one token.
const LONGEST: usize = 8;

/// Splits a text into tokens; joined again they are the text.
///
/// A token is an optional run of whitespace followed by up to eight letters or digits, or by one other
/// character. English prose comes out near 1.3 tokens a word, as with the vendors' tokenizers.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(piece_len(rest));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// Number of tokens in a text.
pub(crate) fn count(text: &str) -> usize {
    let mut total = 0;
    let mut rest = text;
    while !rest.is_empty() {
        rest = rest.split_at(piece_len(rest)).1;
        total += 1;
    }
    total
}

fn piece_len(text: &str) -> usize {
    let mut taken = 0;
    let mut in_word = false;
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() {
            if taken == LONGEST {
                return at;
            }
            in_word = true;
            taken += 1;
        } else if in_word {
            return at;
        } else if !c.is_whitespace() {
            return at + c.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_words_punctuation_and_leading_space() {
        assert_eq!(pieces("Hello, world"), ["Hello", ",", " world"]);
        assert_eq!(pieces("internationally"), ["internat", "ionally"]);
        assert_eq!(pieces(""), Vec::<&str>::new());
        assert_eq!(pieces("a  \n"), ["a", "  \n"]);
    }

    proptest! {
        #[test]
        fn pieces_join_to_the_text_and_agree_with_the_count(text in "\\PC{0,200}") {
            let split = pieces(&text);
            prop_assert_eq!(split.concat(), text.as_str());
            prop_assert_eq!(split.len(), count(&text));
            prop_assert!(split.iter().all(|p| !p.is_empty()));
        }
    }
}
