//! From a person's words to what FTS5 matches. Each word is quoted, and has no character that a quote could end: so no text is an error of
//! syntax, and none is an operator.

use edge_ai_core::{KeywordMode, KeywordQuery};

use super::Tokenizer;

/// Different words that count; a question of more has its first ones looked for.
const MAX_WORDS: usize = 64;
/// How often a repeated word counts at most.
const MAX_REPEATS: usize = 8;
/// A word of more characters is cut: nobody's word, and each has a price.
const MAX_WORD_CHARS: usize = 128;

/// The 33 words that Lucene's `EnglishAnalyzer` leaves out.
/// <https://lucene.apache.org/core/9_0_0/analysis/common/org/apache/lucene/analysis/en/EnglishAnalyzer.html>
const STOP_WORDS: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];

/// What to match, or `None` when there is no word to look for.
pub(super) fn match_expression(query: &KeywordQuery, tokenizer: Tokenizer) -> Option<String> {
    let mut words = words(&query.text, tokenizer);
    if words.iter().any(|(word, _)| !is_stop_word(word)) {
        words.retain(|(word, _)| !is_stop_word(word));
    }
    words.truncate(MAX_WORDS);
    let (operator, repeats) = match query.mode {
        KeywordMode::All => (" AND ", 1),
        _ => (" OR ", MAX_REPEATS),
    };
    let terms: Vec<String> = words
        .into_iter()
        .flat_map(|(word, count)| std::iter::repeat_n(format!("\"{word}\""), count.min(repeats)))
        .collect();
    if terms.is_empty() {
        return None;
    }
    let asked = format!("{{title body}} : ({})", terms.join(operator));
    Some(match &query.namespace {
        Some(namespace) => format!("space : \"{}\" AND {asked}", space(namespace)),
        None => asked,
    })
}

/// A namespace as one token of either tokenizer: three characters that are letters to the one and a trigram to the other, of 42 bits of the name's hash.
/// The index goes by it to the namespace's records; that they are the namespace's is for the records' table to say.
pub(super) fn space(namespace: &str) -> String {
    let hash = namespace.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let hash = hash ^ (hash >> 32);
    let letter = |shift: u32| char::from_u32(0x4e00 + (hash >> shift & 0x3fff) as u32);
    [0, 14, 28].into_iter().filter_map(letter).collect()
}

/// The different words in their order, and how often each is there.
fn words(text: &str, tokenizer: Tokenizer) -> Vec<(String, usize)> {
    let mut counted = Vec::new();
    for word in text
        .split(|char| !is_of_word(char))
        .filter(|word| !word.is_empty())
    {
        let word: Vec<char> = word.chars().take(MAX_WORD_CHARS).collect();
        let word_of = |chars: &[char]| chars.iter().collect::<String>().to_lowercase();
        match tokenizer {
            Tokenizer::Porter => count(&mut counted, word_of(&word)),
            Tokenizer::Trigram if word.iter().any(|char| is_unspaced(*char)) => {
                for window in word.windows(3) {
                    count(&mut counted, word_of(window));
                }
            }
            Tokenizer::Trigram if word.len() >= 3 => count(&mut counted, word_of(&word)),
            Tokenizer::Trigram => {}
        }
    }
    counted
}

fn count(counted: &mut Vec<(String, usize)>, word: String) {
    let full = counted.len() == 2 * MAX_WORDS;
    match counted.iter_mut().find(|(known, _)| *known == word) {
        Some((_, count)) => *count += 1,
        // Twice as many as are looked for, since stop words are still among them.
        None if full => {}
        None => counted.push((word, 1)),
    }
}

fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// Letters, digits, and marks that are put over the letter before.
fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&char)
}

/// Of a script that puts no spaces between words: a run of it is a sentence.
fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(query: KeywordQuery, tokenizer: Tokenizer) -> Option<String> {
        match_expression(&query, tokenizer)
    }

    #[test]
    fn words_are_quoted_counted_and_without_stop_words() {
        let query = KeywordQuery::new("The index of an INDEX: NEAR(\"x\" OR y*)");
        assert_eq!(
            expression(query.clone(), Tokenizer::Porter).as_deref(),
            Some(r#"{title body} : ("index" OR "index" OR "near" OR "x" OR "y")"#)
        );
        let all = query.mode(KeywordMode::All).namespace("acme");
        let expected = format!(
            r#"space : "{}" AND {{title body}} : ("index" AND "near" AND "x" AND "y")"#,
            space("acme")
        );
        assert_eq!(expression(all, Tokenizer::Porter), Some(expected));
    }

    #[test]
    fn only_stop_words_are_looked_for_all_the_same() {
        let query = KeywordQuery::new("to be or not to be");
        let found = expression(query, Tokenizer::Porter).unwrap();
        assert_eq!(found.matches("\"be\"").count(), 2);
        assert_eq!(expression(KeywordQuery::new("?! …"), Tokenizer::Porter), None);
    }

    #[test]
    fn trigrams_need_three_characters_and_slide_over_sentences() {
        let found = expression(KeywordQuery::new("ab E4031 検索拡張"), Tokenizer::Trigram).unwrap();
        assert_eq!(found, r#"{title body} : ("e4031" OR "検索拡" OR "索拡張")"#);
    }

    #[test]
    fn a_long_question_is_cut() {
        let text: String = (0..10_000).map(|at| format!("w{at} ")).collect();
        let found = expression(KeywordQuery::new(text), Tokenizer::Porter).unwrap();
        assert_eq!(found.matches(" OR ").count(), MAX_WORDS - 1);
        let found = expression(KeywordQuery::new("again ".repeat(1_000)), Tokenizer::Porter).unwrap();
        assert_eq!(found.matches("again").count(), MAX_REPEATS);
    }

    #[test]
    fn a_namespace_is_three_letters() {
        for name in ["", "acme", "a longer name of a tenant"] {
            assert_eq!(space(name).chars().count(), 3);
            assert!(space(name).chars().all(char::is_alphabetic));
        }
        assert_ne!(space("a"), space("b"));
        assert!(STOP_WORDS.is_sorted());
    }
}
