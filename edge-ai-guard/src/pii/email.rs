use crate::matcher::{Found, Sight, Step};

/// The longest part before the `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The longest domain (RFC 5321, 4.5.3.1.2).
const MAX_DOMAIN: usize = 255;
/// The longest address.
pub(super) const MAX: usize = MAX_LOCAL + 1 + MAX_DOMAIN;

/// What follows an `@` in the name of a picture for screens of twice the density, `icon@2x.png`.
const NOT_DOMAINS: [&str; 7] = ["png", "jpg", "jpeg", "gif", "svg", "webp", "avif"];

fn is_local(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '_' | '%' | '+' | '-')
}

fn is_domain(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '-')
}

/// An address such as `ada.lovelace+news@mail.example.com`, in any script.
pub(super) fn step(sight: &Sight<'_>) -> Step {
    if sight.before.is_some_and(is_local) || !sight.text.starts_with(is_local) {
        return Step::No;
    }
    let Some(local) = sight.run(0, MAX_LOCAL, is_local) else {
        return Step::More;
    };
    let text = sight.text;
    match text.as_bytes().get(local) {
        Some(b'@') => {}
        // Only where the longest local part ends with the text.
        None if !sight.complete => return Step::More,
        _ => return Step::No,
    }
    let name = text.get(..local).unwrap_or_default();
    // `git@host:path` is no mailbox.
    if name == "git" || !name.contains(char::is_alphanumeric) {
        return Step::No;
    }
    let Some(end) = sight.run(local + 1, MAX_DOMAIN, is_domain) else {
        return Step::More;
    };
    match domain_len(text.get(local + 1..end).unwrap_or_default()) {
        Some(len) => Step::Match(Found::new("email", 0, local + 1 + len)),
        None => Step::No,
    }
}

/// How much of a run is a domain: labels with dots in between, the last one of letters.
fn domain_len(run: &str) -> Option<usize> {
    let mut end = run.len();
    loop {
        let dot = run.get(..end)?.rfind('.')?;
        let last = run.get(dot + 1..end)?;
        let letters: usize = last
            .chars()
            .take_while(|c| c.is_alphabetic())
            .map(char::len_utf8)
            .sum();
        let word = last.get(..letters)?;
        let ends = last.len() == letters || last.get(letters..)?.starts_with('-');
        let is_top = (word.chars().count() >= 2 && ends) || last.starts_with("xn--");
        if is_top && dot > 0 && !run.starts_with(['.', '-']) {
            if NOT_DOMAINS.iter().any(|name| word.eq_ignore_ascii_case(name)) {
                return None;
            }
            let word = if last.starts_with("xn--") {
                last.trim_end_matches('-')
            } else {
                word
            };
            return Some(dot + 1 + word.len());
        }
        end = dot;
    }
}
