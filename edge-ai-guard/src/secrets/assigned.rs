use super::known;
use crate::matcher::{Found, Sight, Step, Tail, is_word};

/// The longest name that is looked at.
const MAX_NAME: usize = 64;
/// What may stand between a name and its value: quotes, blanks and a sign.
const MAX_BETWEEN: usize = 12;
/// How much of a value is weighed.
const MAX_VALUE: usize = 64;
/// How long a value must be.
const MIN_VALUE: usize = 12;
/// What all of it takes, and one character after it.
pub(super) const WINDOW: usize = 320;

const _: () = assert!(MAX_NAME + MAX_BETWEEN + MAX_VALUE < WINDOW);

/// The ends of names that hold credentials, in lower case without underscores and dashes.
const NAMES: [&str; 14] = [
    "apikey",
    "secret",
    "secretkey",
    "accesskey",
    "privatekey",
    "clientsecret",
    "password",
    "passwd",
    "pwd",
    "token",
    "credential",
    "credentials",
    "bearer",
    "authkey",
];

fn is_name(c: char) -> bool {
    is_word(c) || matches!(c, '-' | '.')
}

fn is_value(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '+' | '/' | '=' | '_' | '-' | '.' | '~' | '!' | '$' | '%' | '^' | '*'
        )
}

/// `some_api_key = "Zm9v…"`: the value, if it looks random.
pub(super) fn step(sight: &Sight<'_>) -> Step {
    if !sight.at_word_start() || !sight.text.starts_with(is_word) {
        return Step::No;
    }
    let Some(name) = sight.run(0, MAX_NAME, is_name) else {
        return Step::More;
    };
    let text = sight.text;
    if !holds_credentials(text.get(..name).unwrap_or_default()) {
        return Step::No;
    }
    let is_between = |c: char| matches!(c, '"' | '\'' | '`' | ' ' | '\t' | '=' | ':' | '>');
    let Some(value) = sight.run(name, MAX_BETWEEN, is_between) else {
        return Step::More;
    };
    let between = text.get(name..value).unwrap_or_default();
    let is_bearer = text
        .get(..name)
        .is_some_and(|name| name.eq_ignore_ascii_case("bearer"));
    let is_assigned = between.contains(['=', ':']) || (is_bearer && between == " ");
    if !is_assigned {
        return Step::No;
    }
    // A key of a known shape is found where it starts, under its own name.
    let rest = Sight::new(
        between.chars().next_back(),
        text.get(value..).unwrap_or_default(),
        sight.complete,
    );
    match known::step(&rest) {
        Step::No => {}
        Step::More => return Step::More,
        Step::Match(_) => return Step::No,
    }
    let Some(end) = sight.run(value, MAX_VALUE, is_value) else {
        return Step::More;
    };
    let weighed = text.get(value..end).unwrap_or_default();
    if weighed.len() < MIN_VALUE || !looks_random(weighed) {
        return Step::No;
    }
    Step::Match(Found::new("assigned_secret", value, end).with_tail(Tail::While(is_value)))
}

fn holds_credentials(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    NAMES.iter().any(|known| plain.ends_with(known))
}

/// Letters and digits mixed, at no less than 3.2 bits to a character (Shannon). Words and placeholders stay below or lack one of the two.
fn looks_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    if !has(u8::is_ascii_digit) || !has(u8::is_ascii_alphabetic) {
        return false;
    }
    let mut counts = [0_u16; 128];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 64 characters are weighed")]
    let total = value.len() as f32;
    let bits: f32 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f32::from(*count) / total;
            -share * share.log2()
        })
        .sum();
    bits >= 3.2
}
