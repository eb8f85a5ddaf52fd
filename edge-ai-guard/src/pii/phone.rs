use super::Region;
use crate::matcher::{Found, Sight, Step};

/// The longest number as it is written: 15 digits (E.164) with separators.
const MAX: usize = 40;

/// Groups of digits as they are written, up to the first thing that cannot be within a number.
struct Groups {
    /// Each group's number of digits so far, with those before, and where it ends.
    ends: Vec<(usize, usize)>,
    /// More may follow.
    open: bool,
}

impl Groups {
    /// Reads groups from `from` on, with at most three separators between them.
    fn read(sight: &Sight<'_>, from: usize) -> Self {
        let text = sight.text.get(from..).unwrap_or_default();
        let mut ends: Vec<(usize, usize)> = Vec::new();
        let mut digits = 0;
        let mut separators = 2;
        let mut in_group = false;
        for (at, next) in text.char_indices() {
            if at >= MAX {
                return Self { ends, open: false };
            }
            if next.is_ascii_digit() {
                digits += 1;
                separators = 0;
                if in_group {
                    ends.pop();
                }
                in_group = true;
                ends.push((digits, from + at + 1));
            } else if matches!(
                next,
                ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2012}'
            ) && separators < 3
            {
                separators += 1;
                in_group = false;
            } else {
                return Self { ends, open: false };
            }
        }
        Self {
            ends,
            open: !sight.complete && text.len() < MAX,
        }
    }

    /// Where the longest number of as many digits ends.
    fn end(&self, digits: std::ops::RangeInclusive<usize>) -> Option<usize> {
        let fits = self.ends.iter().rev().find(|(count, _)| digits.contains(count));
        fits.map(|(_, end)| *end)
    }

    /// The digits of the first groups.
    fn sizes(&self) -> impl Iterator<Item = usize> {
        let mut before = 0;
        self.ends
            .iter()
            .map(move |(count, _)| count - std::mem::replace(&mut before, *count))
    }
}

pub(super) fn step(sight: &Sight<'_>, regions: &[Region]) -> Step {
    let first = sight.text.chars().next().unwrap_or(' ');
    if !sight.at_word_start() || !(first.is_ascii_digit() || matches!(first, '+' | '(')) {
        return Step::No;
    }
    // The decimals of a number, and the middle of a longer one.
    if first.is_ascii_digit() && matches!(sight.before, Some('.' | ',' | '+')) {
        return Step::No;
    }
    let international = international(sight);
    if !international.is_no() {
        return international;
    }
    for region in regions {
        let step = match region {
            Region::NorthAmerica => north_american(sight),
            Region::Europe => european(sight),
        };
        if !step.is_no() {
            return step;
        }
    }
    Step::No
}

fn found(sight: &Sight<'_>, end: usize) -> Step {
    match sight.goes_on(end) {
        Some(true) => Step::No,
        Some(false) => Step::Match(Found::new("phone", 0, end)),
        None => Step::More,
    }
}

/// `+49 30 123456`, `+1 (555) 234-5678`, `0049 30 123456`: E.164, with a country's code.
fn international(sight: &Sight<'_>) -> Step {
    let text = sight.text;
    let (from, extra) = match text.as_bytes() {
        [b'+'] | [b'0'] | [b'0', b'0'] if !sight.complete => return Step::More,
        [b'+', b'1'..=b'9' | b'(', ..] => (1, 0),
        [b'0', b'0', b'1'..=b'9', ..] => (0, 2),
        _ => return Step::No,
    };
    let groups = Groups::read(sight, from);
    if groups.open {
        return Step::More;
    }
    if extra > 0 && groups.ends.len() < 2 {
        return Step::No;
    }
    match groups.end(8 + extra..=15 + extra) {
        Some(end) => found(sight, end),
        None => Step::No,
    }
}

/// Ten digits in groups of three, three and four, whose first two groups start with 2 to 9.
fn north_american(sight: &Sight<'_>) -> Step {
    let groups = Groups::read(sight, 0);
    let digits: Vec<u8> = sight.text.bytes().take(MAX).filter(u8::is_ascii_digit).collect();
    let (sizes, skip): (&[usize], usize) = match digits.first() {
        Some(b'1') => (&[1, 3, 3, 4], 1),
        Some(b'2'..=b'9') => (&[3, 3, 4], 0),
        None if groups.open => return Step::More,
        _ => return Step::No,
    };
    let fits = sizes
        .iter()
        .zip(groups.sizes())
        .all(|(wanted, size)| *wanted == size);
    let exchange = digits.get(skip + 3).is_none_or(|digit| *digit >= b'2');
    let area = digits.get(skip).is_none_or(|digit| *digit >= b'2');
    if groups.open && groups.ends.len() <= sizes.len() {
        let begun = sizes
            .iter()
            .zip(groups.sizes())
            .all(|(wanted, size)| size <= *wanted);
        return if begun && area && exchange {
            Step::More
        } else {
            Step::No
        };
    }
    match groups.ends.get(sizes.len() - 1) {
        Some((_, end)) if fits && area && exchange => found(sight, *end),
        _ => Step::No,
    }
}

/// A zero, then 8 to 11 digits, in groups; not a date.
fn european(sight: &Sight<'_>) -> Step {
    let from = usize::from(sight.text.starts_with('('));
    let groups = Groups::read(sight, 0);
    match sight.text.as_bytes().get(from..from + 2) {
        Some([b'0', b'1'..=b'9']) => {}
        None if !sight.complete
            && sight
                .text
                .get(from..)
                .is_some_and(|rest| rest.is_empty() || rest == "0") =>
        {
            return Step::More;
        }
        _ => return Step::No,
    }
    if groups.open {
        return Step::More;
    }
    let sizes: Vec<usize> = groups.sizes().take(3).collect();
    let is_date = sizes == [2, 2, 4];
    if is_date || sizes.len() < 2 || sizes.first().is_none_or(|size| *size < 2) {
        return Step::No;
    }
    match groups.end(9..=12) {
        Some(end) => found(sight, end),
        None => Step::No,
    }
}

/// `###-##-####` or with blanks. Areas 000, 666 and from 900 on, group 00 and serial 0000 are not given out.
pub(super) fn ssn(sight: &Sight<'_>) -> Step {
    if !sight.at_word_start() || matches!(sight.before, Some('-' | '.')) {
        return Step::No;
    }
    let mut separator = None;
    for (at, byte) in sight.text.bytes().enumerate().take(11) {
        let fits = match (at, separator) {
            (3, _) => {
                separator = Some(byte);
                matches!(byte, b'-' | b' ')
            }
            (6, separator) => separator == Some(byte),
            _ => byte.is_ascii_digit(),
        };
        if !fits {
            return Step::No;
        }
    }
    if sight.text.len() < 11 {
        return if sight.complete { Step::No } else { Step::More };
    }
    let part = |from: usize, to: usize| sight.text.get(from..to).unwrap_or_default();
    let area = part(0, 3);
    if matches!(area, "000" | "666") || area.starts_with('9') || part(4, 6) == "00" || part(7, 11) == "0000" {
        return Step::No;
    }
    match sight.text.get(11..).and_then(|rest| rest.chars().next()) {
        None if !sight.complete => Step::More,
        Some(next) if next.is_alphanumeric() || next == '-' => Step::No,
        _ => Step::Match(Found::new("us_ssn", 0, 11)),
    }
}
