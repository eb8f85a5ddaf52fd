use std::net::Ipv6Addr;

use crate::matcher::{Found, Sight, Step};

/// The longest IPv6 address, one with an IPv4 address at its end.
const MAX: usize = 45;

pub(super) fn step(sight: &Sight<'_>) -> Step {
    match v4(sight) {
        Step::No => v6(sight),
        step => step,
    }
}

/// Four numbers up to 255, alone: neither a part of a longer row of numbers nor of a word.
fn v4(sight: &Sight<'_>) -> Step {
    if !sight.text.starts_with(|c: char| c.is_ascii_digit()) || touches(sight.before) {
        return Step::No;
    }
    let Some(end) = sight.run(0, MAX, |c| c.is_ascii_digit() || c == '.') else {
        return if is_v4_so_far(sight.text) {
            Step::More
        } else {
            Step::No
        };
    };
    let text = sight.text.get(..end).unwrap_or_default();
    // The end of a sentence.
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_v4 = text.split('.').count() == 4 && text.split('.').all(is_octet);
    let is_local = text.starts_with("127.") || text == "0.0.0.0";
    if is_v4 && !is_local && sight.goes_on(text.len()) == Some(false) {
        return Step::Match(Found::new("ip_address", 0, text.len()));
    }
    Step::No
}

fn touches(before: Option<char>) -> bool {
    before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | ':'))
}

fn is_octet(part: &str) -> bool {
    let fits = part.len() <= 3 && (part.len() == 1 || !part.starts_with('0'));
    fits && part.parse::<u8>().is_ok()
}

fn is_v4_so_far(text: &str) -> bool {
    text.split('.').count() <= 5 && text.split('.').all(|part| part.is_empty() || is_octet(part))
}

/// An IPv6 address. One without a decimal digit, or of a single colon pair and letters, is more likely a name in a program.
fn v6(sight: &Sight<'_>) -> Step {
    let is_v6 = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    if touches(sight.before)
        || !sight
            .text
            .starts_with(|c: char| c.is_ascii_hexdigit() || c == ':')
    {
        return Step::No;
    }
    let Some(end) = sight.run(0, MAX + 1, is_v6) else {
        let first = sight.text.split(':').next().unwrap_or_default();
        return if first.len() <= 4 { Step::More } else { Step::No };
    };
    let text = sight.text.get(..end).unwrap_or_default();
    let text = text.trim_end_matches('.');
    let text = match text.strip_suffix(':') {
        Some(shorter) if !text.ends_with("::") => shorter,
        _ => text,
    };
    if text.matches(':').count() < 2 || !text.bytes().any(|byte| byte.is_ascii_digit()) || text.len() < 6 {
        return Step::No;
    }
    let Ok(address) = text.parse::<Ipv6Addr>() else {
        return Step::No;
    };
    if address.is_loopback() || address.is_unspecified() || sight.goes_on(text.len()) != Some(false) {
        return Step::No;
    }
    Step::Match(Found::new("ip_address", 0, text.len()))
}
