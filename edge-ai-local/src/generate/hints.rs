//! What a text offers for filling in arguments: names, quoted strings, numbers, dates, addresses.

/// Findings of one text, in order of appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints {
    pub(crate) text: String,
    /// What the generator would answer in prose, for fields such as `answer` or `summary`.
    pub(crate) answer: Option<String>,
    pub(crate) quoted: Vec<String>,
    /// Runs of capitalised words, apart from a sentence's opening word when that is a common one.
    pub(crate) names: Vec<String>,
    /// Names that follow `in`, `to`, `from`, `at`, `near`, `for` or `and` after such.
    pub(crate) places: Vec<String>,
    pub(crate) numbers: Vec<f64>,
    pub(crate) dates: Vec<String>,
    pub(crate) emails: Vec<String>,
    pub(crate) urls: Vec<String>,
    /// The text says no: `not`, `without`, `disable`, `false`.
    pub(crate) negative: bool,
}

impl Hints {
    pub(crate) fn new(text: &str, answer: Option<String>) -> Self {
        let quoted = quoted(text);
        let (names, places) = names(text);
        let mut hints = Self {
            text: text.trim().to_owned(),
            answer,
            quoted,
            names,
            places,
            ..Self::default()
        };
        for word in text.split_whitespace() {
            let word = word
                .trim_matches(|c: char| matches!(c, ',' | ';' | ':' | '!' | '?' | '(' | ')' | '"' | '\''));
            let bare = word.trim_end_matches('.');
            if bare.starts_with("http://") || bare.starts_with("https://") {
                hints.urls.push(bare.to_owned());
            } else if is_email(bare) {
                hints.emails.push(bare.to_owned());
            } else if is_date(bare) {
                hints.dates.push(bare.to_owned());
            } else if let Some(number) = number(bare) {
                hints.numbers.push(number);
            }
            hints.negative |= matches!(
                bare.to_lowercase().as_str(),
                "no" | "not" | "don't" | "without" | "disable" | "disabled" | "false" | "off"
            );
        }
        hints
    }

    /// The same findings with one place put first, for the calls of a parallel answer.
    pub(crate) fn about(&self, name: &str) -> Self {
        let name = name.to_owned();
        Self {
            names: vec![name.clone()],
            places: vec![name],
            ..self.clone()
        }
    }
}

fn quoted(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (open, close) in [('"', '"'), ('“', '”'), ('`', '`'), ('«', '»')] {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(open) {
            let Some((inside, tail)) = after.split_once(close) else {
                break;
            };
            if !inside.trim().is_empty() {
                found.push(inside.trim().to_owned());
            }
            rest = tail;
        }
    }
    found
}

fn names(text: &str) -> (Vec<String>, Vec<String>) {
    let mut names: Vec<String> = Vec::new();
    let mut places: Vec<String> = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    let mut before_run = "";
    let mut before = "";
    let mut opening = true;
    for raw in text.split_whitespace() {
        let word = raw.trim_matches(|c: char| !c.is_alphanumeric());
        let word = word
            .strip_suffix("'s")
            .or_else(|| word.strip_suffix("’s"))
            .unwrap_or(word);
        if is_name(word, opening) {
            if run.is_empty() {
                before_run = before;
            }
            run.push(word);
        }
        let ends = raw.ends_with(|c: char| !c.is_alphanumeric()) || !is_name(word, opening);
        if ends && !run.is_empty() {
            let name = run.join(" ");
            let follows_place = before_run == "and" && !places.is_empty();
            if follows_place || matches!(before_run, "in" | "to" | "from" | "at" | "near" | "for" | "of") {
                places.push(name.clone());
            }
            names.push(name);
            run.clear();
        }
        opening = raw.ends_with(['.', '!', '?', ':']);
        before = word;
    }
    if !run.is_empty() {
        let name = run.join(" ");
        if matches!(before_run, "in" | "to" | "from" | "at" | "near" | "for" | "of")
            || (before_run == "and" && !places.is_empty())
        {
            places.push(name.clone());
        }
        names.push(name);
    }
    (names, places)
}

fn is_name(word: &str, opens_sentence: bool) -> bool {
    const OPENERS: &[&str] = &[
        "add",
        "answer",
        "book",
        "call",
        "compare",
        "compute",
        "convert",
        "context",
        "create",
        "delete",
        "extract",
        "fetch",
        "find",
        "list",
        "look",
        "make",
        "multiply",
        "question",
        "read",
        "return",
        "run",
        "schedule",
        "search",
        "send",
        "show",
        "sum",
        "summarize",
        "summarise",
        "translate",
        "update",
        "weather",
        "write",
        "yes",
        "ok",
        "okay",
        "let",
        "now",
        "today",
        "tomorrow",
    ];
    let capital = word.chars().next().is_some_and(char::is_uppercase);
    let lower = word.to_lowercase();
    let common =
        super::text::is_stopword(&lower) || lower.starts_with("what") || word == "I" || word.contains('\'');
    capital && !common && !(opens_sentence && OPENERS.contains(&lower.as_str()))
}

fn number(word: &str) -> Option<f64> {
    let word = word
        .trim_start_matches(['$', '€', '£', '#'])
        .trim_end_matches(['%', '€', '$', '°']);
    let digits_first = word
        .trim_start_matches('-')
        .starts_with(|c: char| c.is_ascii_digit());
    let value: f64 = digits_first
        .then(|| word.replace(',', "").parse().ok())
        .flatten()?;
    value.is_finite().then_some(value)
}

fn is_email(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !host.contains('@'))
}

fn is_date(word: &str) -> bool {
    let shape: String = word
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00" || shape.starts_with("0000-00-00T")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_numbers_quotes_dates_and_addresses() {
        let hints = Hints::new(
            "Send \"hello there\" to Ada Lovelace in New York and Paris on 2026-01-02, pay $1,200.50 and 3 more via a@b.io",
            None,
        );
        assert_eq!(hints.quoted, ["hello there"]);
        assert_eq!(hints.names, ["Ada Lovelace", "New York", "Paris"]);
        assert!(hints.places.contains(&"New York".to_owned()) && hints.places.contains(&"Paris".to_owned()));
        assert_eq!(hints.numbers, [1200.5, 3.0]);
        assert_eq!((hints.dates.len(), hints.emails.len()), (1, 1));
        assert!(!hints.negative);
    }

    #[test]
    fn a_sentence_opening_word_is_not_a_name() {
        assert_eq!(Hints::new("What's the weather in Paris?", None).names, ["Paris"]);
        assert_eq!(Hints::new("Ada is 36.", None).names, ["Ada"]);
    }
}
