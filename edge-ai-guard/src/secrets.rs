//! Credentials that have a form.

mod assigned;
mod known;

use std::sync::Arc;

use async_trait::async_trait;

use crate::guard::Guard;
use crate::matcher::{Found, Matcher, Sight, Step, Tail};

/// Finds credentials: keys of known vendors by their shape, private keys, JSON Web Tokens, passwords in addresses, and whatever is assigned to a
/// name such as `api_key` and looks random.
///
/// ```
/// use edge_ai_guard::{Secrets, find};
///
/// let hits = find("export AWS_KEY=AKIAIOSFODNN7EXAMPLE", &Secrets::all());
/// assert_eq!(hits[0].category, "aws_access_key");
/// ```
#[derive(Clone, Debug)]
pub struct Secrets {
    assigned: bool,
}

impl Secrets {
    /// Every kind.
    pub const fn all() -> Self {
        Self { assigned: true }
    }

    /// Only those of known shape, not what is assigned to a telling name.
    pub const fn known() -> Self {
        Self { assigned: false }
    }
}

impl Matcher for Secrets {
    fn window(&self) -> usize {
        assigned::WINDOW
    }

    fn step(&self, sight: &Sight<'_>) -> Step {
        let first = sight.text.as_bytes().first().copied().unwrap_or_default();
        let step = match first {
            b'-' => private_key(sight),
            b':' => password_in_address(sight),
            _ => known::step(sight),
        };
        if !step.is_no() || !self.assigned {
            return step;
        }
        assigned::step(sight)
    }
}

/// A PEM block, up to its end or 16 KiB.
fn private_key(sight: &Sight<'_>) -> Step {
    const BEGIN: &str = "-----BEGIN ";
    const KINDS: [&str; 6] = [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "DSA PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
    ];
    let text = sight.text;
    let Some(kind) = text.strip_prefix(BEGIN) else {
        let begun = !sight.complete && BEGIN.starts_with(text);
        return if begun { Step::More } else { Step::No };
    };
    if KINDS.iter().any(|known| kind.starts_with(known)) {
        let found = Found::new("private_key", 0, BEGIN.len() + KINDS[0].len());
        return Step::Match(found.with_tail(Tail::Through(&["-----END", "-----"])));
    }
    let begun = KINDS.iter().any(|known| known.starts_with(kind));
    if begun && !sight.complete {
        Step::More
    } else {
        Step::No
    }
}

/// `://user:password@host`: the password.
fn password_in_address(sight: &Sight<'_>) -> Step {
    const MARK: &str = "://";
    const MAX: usize = 64;
    let text = sight.text;
    if !text.starts_with(MARK) {
        let begun = !sight.complete && MARK.starts_with(text);
        return if begun { Step::More } else { Step::No };
    }
    let is_part =
        |c: char| !c.is_whitespace() && !matches!(c, '/' | '@' | ':' | '?' | '#' | '"' | '\'' | '<' | '>');
    let Some(colon) = sight.run(MARK.len(), MAX, is_part) else {
        return Step::More;
    };
    match text.as_bytes().get(colon) {
        Some(b':') => {}
        None if !sight.complete => return Step::More,
        _ => return Step::No,
    }
    let Some(at) = sight.run(colon + 1, MAX, |c| is_part(c) || c == ':') else {
        return Step::More;
    };
    match text.as_bytes().get(at) {
        Some(b'@') if at > colon + 3 => Step::Match(Found::new("password", colon + 1, at)),
        None if !sight.complete => Step::More,
        _ => Step::No,
    }
}

#[async_trait]
impl Guard for Secrets {
    fn name(&self) -> &str {
        "secrets"
    }

    fn matcher(&self) -> Option<Arc<dyn Matcher>> {
        Some(Arc::new(self.clone()))
    }
}

#[cfg(test)]
mod tests;
