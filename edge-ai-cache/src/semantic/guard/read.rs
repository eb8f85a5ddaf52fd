//! Texts as words.

use super::tables::{NUMBERS, STOPWORDS, UNITS};

/// A question as the rules see it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) words: Vec<Word>,
    /// Whether it asks.
    pub(super) asks: bool,
    /// Whether it has English in it.
    pub(super) english: bool,
}

/// A word of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In small letters, without what is around it.
    pub(super) lower: String,
    /// Without its endings.
    pub(super) stem: String,
    pub(super) kind: Kind,
    /// Begins with a capital where none begins a sentence.
    pub(super) name: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Content,
    Number(String),
    Unit(&'static str),
    Identifier,
}

impl Text {
    pub(super) fn read(text: &str) -> Self {
        let mut words: Vec<Word> = Vec::new();
        let mut start = true;
        for raw in text.split_whitespace() {
            add(&mut words, raw, start, raw.contains('`'));
            let ends = raw.trim_end_matches(['"', '\'', ')', '”', '’', '*']);
            start = ends.ends_with(['.', '?', '!', ':', '。', '？']);
        }
        // The answer's yes or no is none of the sentence's.
        let answers = text
            .split_whitespace()
            .next()
            .is_some_and(|first| first.ends_with(','));
        if answers
            && words
                .first()
                .is_some_and(|first| matches!(first.lower.as_str(), "no" | "yes"))
        {
            words.remove(0);
        }
        let english = words.iter().any(|word| word.kind == Kind::Function);
        let asks = text.trim_end().ends_with(['?', '？'])
            || words
                .first()
                .is_some_and(|first| super::tables::ASKING.contains(&first.lower.as_str()));
        Self { words, asks, english }
    }

    /// The same words in the same order, whatever their case and the signs between them.
    pub(super) fn same_words(&self, other: &Self) -> bool {
        self.words
            .iter()
            .map(|word| &word.lower)
            .eq(other.words.iter().map(|word| &word.lower))
    }

    pub(super) fn has(&self, lower: &str) -> bool {
        self.words.iter().any(|word| word.lower == lower)
    }

    pub(super) fn has_stem(&self, stem: &str) -> bool {
        self.words.iter().any(|word| word.stem == stem)
    }

    /// The word before a place, `back` words before it.
    pub(super) fn before(&self, at: usize, back: usize) -> &str {
        let word = at.checked_sub(back).and_then(|at| self.words.get(at));
        word.map_or("", |word| &word.lower)
    }

    pub(super) fn after(&self, at: usize) -> &str {
        self.words.get(at + 1).map_or("", |word| &word.lower)
    }
}

fn add(words: &mut Vec<Word>, raw: &str, start: bool, quoted: bool) {
    let dollars = raw.contains(['$', '€', '£', '¥']);
    let token = raw.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '%' | '°' | '-' | '@' | '#'));
    let token = token
        .trim_end_matches(['-', '#', '@'])
        .trim_end_matches("'s")
        .trim_end_matches("’s");
    if token.is_empty() {
        return;
    }
    let lower = token.to_lowercase().replace('’', "'");
    if dollars {
        for (sign, unit) in [('$', "dollar"), ('€', "euro"), ('£', "pound"), ('¥', "yen")] {
            if raw.contains(sign) {
                words.push(Word::of(unit, false, Kind::Unit(unit)));
            }
        }
    }
    if let Some(end) = lower.strip_suffix('%') {
        add(words, end, start, false);
        return words.push(Word::of("percent", false, Kind::Unit("percent")));
    }
    // Contractions are two words.
    if lower == "cannot" {
        words.push(Word::new("can", false));
        return words.push(Word::new("not", false));
    }
    for (end, second) in [
        ("n't", "not"),
        ("'ll", "will"),
        ("'re", "are"),
        ("'ve", "have"),
        ("'m", "am"),
    ] {
        if let Some(first) = lower.strip_suffix(end) {
            let first = match (first, end) {
                ("ca", "n't") => "can",
                ("wo", "n't") => "will",
                ("sha", "n't") => "shall",
                (first, _) => first,
            };
            words.push(Word::new(first, false));
            return words.push(Word::new(second, false));
        }
    }
    let digits = lower.chars().filter(char::is_ascii_digit).count();
    let letters = lower.chars().filter(|c| c.is_alphabetic()).count();
    if digits > 0 {
        return numeric(words, &lower, letters);
    }
    if let Some(unit) = unit(&lower, words.last()) {
        return words.push(Word::of(&lower, false, Kind::Unit(unit)));
    }
    let inner = token.get(1..).unwrap_or_default();
    let camel = inner.chars().any(char::is_uppercase) && token.chars().any(char::is_lowercase);
    let shaped = camel
        || token.starts_with("--")
        || lower.contains(['_', '.', ':', '@', '#', '(', '=', '<', '\\'])
        || (lower.contains('/') && (lower.starts_with('/') || lower.matches('/').count() > 1));
    if shaped || quoted {
        let lower = lower.trim_end_matches("()").trim_matches(['`', '"']);
        return words.push(Word::of(lower, false, Kind::Identifier));
    }
    let parts: Vec<&str> = lower
        .split(['-', '/', '–', '—'])
        .filter(|part| !part.is_empty())
        .collect();
    let capital = token.chars().next().is_some_and(char::is_uppercase) && !start && letters > 1;
    for part in parts {
        if part.chars().any(is_unspaced) {
            let chars = part.chars().map(|c| c.to_string());
            words.extend(chars.map(|c| Word::of(&c, false, Kind::Content)));
        } else if let Some((_, number)) = NUMBERS.iter().find(|(word, _)| *word == part) {
            words.push(Word::of(part, false, Kind::Number((*number).to_owned())));
        } else if let Some(unit) = unit(part, words.last()) {
            words.push(Word::of(part, false, Kind::Unit(unit)));
        } else {
            words.push(Word::new(part, capital));
        }
    }
}

/// Scripts that write no spaces between words: each character counts as one.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{0e00}'..='\u{0e7f}')
}

/// `10`, `10gb`, `16th`, `v2.1`, `6:30`, `lh400`.
fn numeric(words: &mut Vec<Word>, lower: &str, letters: usize) {
    let number = |digits: &str| {
        let plain = digits.replace(',', "");
        let plain = if plain.contains('.') {
            plain.trim_end_matches('0').trim_end_matches('.')
        } else {
            &plain
        };
        Kind::Number(plain.to_owned())
    };
    if letters == 0 {
        return words.push(Word::of(lower, false, number(lower)));
    }
    let at = lower
        .find(|c: char| c.is_alphabetic() || c == '°')
        .unwrap_or_default();
    let (digits, rest) = lower.split_at(at);
    if !digits.is_empty() && matches!(rest, "st" | "nd" | "rd" | "th") {
        return words.push(Word::of(lower, false, number(digits)));
    }
    if !digits.is_empty()
        && let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == rest)
    {
        words.push(Word::of(digits, false, number(digits)));
        return words.push(Word::of(rest, false, Kind::Unit(unit)));
    }
    let version = lower
        .strip_prefix('v')
        .filter(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    match version {
        Some(version) => words.push(Word::of(lower, false, Kind::Number(version.to_owned()))),
        None => words.push(Word::of(lower.trim_matches('`'), false, Kind::Identifier)),
    }
}

/// The unit that a word names. A letter or two name one after a number alone.
fn unit(word: &str, before: Option<&Word>) -> Option<&'static str> {
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == word)?;
    let counted = before.is_some_and(|word| matches!(word.kind, Kind::Number(_)));
    (word.len() > 2 || counted).then_some(unit)
}

impl Word {
    fn new(lower: &str, name: bool) -> Self {
        let function = STOPWORDS.contains(&lower);
        let kind = if function { Kind::Function } else { Kind::Content };
        Self::of(lower, name && !function, kind)
    }

    fn of(lower: &str, name: bool, kind: Kind) -> Self {
        Self {
            lower: lower.to_owned(),
            stem: stem(lower),
            kind,
            name,
        }
    }
}

/// A word without the endings of English: plural, third person, -ing, -ed.
pub(super) fn stem(word: &str) -> String {
    let long = word.chars().count() > 4;
    let cut = if let Some(start) = word.strip_suffix("ies").filter(|_| long) {
        return format!("{start}y");
    } else if let Some(start) = word.strip_suffix("ied").filter(|_| long) {
        return format!("{start}y");
    } else if let Some(start) = word.strip_suffix("ing").filter(|start| start.len() > 2) {
        undoubled(start)
    } else if let Some(start) = word.strip_suffix("ed").filter(|start| start.len() > 2) {
        undoubled(start)
    } else if let Some(start) = ["sses", "shes", "ches", "xes", "zes"]
        .iter()
        .find_map(|end| word.ends_with(end).then(|| word.strip_suffix("es")).flatten())
    {
        start
    } else if word.len() > 3
        && word.ends_with('s')
        && !word.ends_with("ss")
        && !word.ends_with("us")
        && !word.ends_with("is")
    {
        word.strip_suffix('s').unwrap_or(word)
    } else {
        word
    };
    cut.strip_suffix('e')
        .filter(|start| start.len() > 2)
        .unwrap_or(cut)
        .to_owned()
}

fn undoubled(start: &str) -> &str {
    let mut ends = start.chars().rev();
    match (ends.next(), ends.next()) {
        (Some(last), Some(other))
            if last == other && last.is_ascii() && !matches!(last, 'l' | 's' | 'z' | 'e' | 'o') =>
        {
            start.strip_suffix(last).unwrap_or(start)
        }
        _ => start,
    }
}
