use crate::matcher::{Found, Sight, Step};

/// The longest card number with a separator between any two digits.
const MAX_CARD: usize = 19 * 2;

/// A payment card: 13 to 19 digits in groups, of an issuer's range, with the right check digit (ISO/IEC 7812).
pub(super) fn card(sight: &Sight<'_>) -> Step {
    let starts_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if !sight.at_word_start() || !starts_digit(sight.text) {
        return Step::No;
    }
    let is_card = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-');
    let Some(run) = sight.run(0, MAX_CARD, is_card) else {
        // No issuer's numbers have another beginning.
        return if matches!(sight.text.as_bytes().first(), Some(b'2'..=b'6')) {
            Step::More
        } else {
            Step::No
        };
    };
    let text = sight.text.get(..run).unwrap_or_default();
    let mut digits = Vec::with_capacity(19);
    let mut end = None;
    let mut separated = true;
    for (at, byte) in text.bytes().enumerate() {
        if !byte.is_ascii_digit() {
            if separated {
                break;
            }
            separated = true;
            continue;
        }
        separated = false;
        digits.push(byte - b'0');
        if digits.len() > 19 {
            break;
        }
        let next = text.as_bytes().get(at + 1);
        if !next.is_some_and(u8::is_ascii_digit) && is_issued(&digits) && luhn(&digits) {
            end = Some(at + 1);
        }
    }
    match end {
        Some(end) if sight.goes_on(end) != Some(true) => Step::Match(Found::new("credit_card", 0, end)),
        _ => Step::No,
    }
}

/// Whether the number of digits is one that the issuer of this range gives out.
fn is_issued(digits: &[u8]) -> bool {
    let number = |len: usize| {
        digits
            .iter()
            .take(len)
            .fold(0_u32, |number, digit| number * 10 + u32::from(*digit))
    };
    let (two, three, four) = (number(2), number(3), number(4));
    match digits.len() {
        13 => number(1) == 4,
        14 => matches!(two, 36 | 38 | 39) || (300..=305).contains(&three),
        15 => matches!(two, 34 | 37),
        16..=19 => {
            number(1) == 4
                || (51..=55).contains(&two)
                || (2221..=2720).contains(&four)
                || two == 62
                || two == 65
                || four == 6011
                || (644..=649).contains(&three)
                || (3528..=3589).contains(&four)
                || two == 50
                || (56..=58).contains(&two)
        }
        _ => false,
    }
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit) << (place % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The longest number, with a blank after every fourth character.
const MAX_IBAN: usize = 34 + 8;

/// Countries and the lengths of their numbers, from SWIFT's IBAN registry: <https://www.swift.com/standards/data-standards/iban-international-bank-account-number>.
const IBAN_LENGTHS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18\
FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31\
MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

/// An account number with the right check digits (ISO 13616), in one piece or in groups of four.
pub(super) fn iban(sight: &Sight<'_>) -> Step {
    if !sight.at_word_start() || !sight.text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Step::No;
    }
    let head = sight.text.as_bytes();
    let is_head = |at: usize, is: fn(&u8) -> bool| head.get(at).is_none_or(is);
    if !(is_head(1, u8::is_ascii_alphabetic)
        && is_head(2, u8::is_ascii_digit)
        && is_head(3, u8::is_ascii_digit))
    {
        return Step::No;
    }
    if head.len() < 4 {
        return if sight.complete { Step::No } else { Step::More };
    }
    let Some(wanted) = head.get(..2).and_then(iban_len) else {
        return Step::No;
    };
    let mut count = 0;
    let mut rest = 0_u32;
    let mut last = b'0';
    let mut start = Vec::with_capacity(4);
    for (at, byte) in head.iter().enumerate().take(MAX_IBAN) {
        if *byte == b' ' && count % 4 == 0 && last != b' ' {
            last = b' ';
            continue;
        }
        if !byte.is_ascii_alphanumeric() {
            return Step::No;
        }
        last = *byte;
        count += 1;
        if count <= 4 {
            start.push(*byte);
        } else {
            rest = modulo(rest, *byte);
        }
        if count == wanted {
            let rest = start.iter().fold(rest, |rest, byte| modulo(rest, *byte));
            return match sight.goes_on(at + 1) {
                None => Step::More,
                Some(false) if rest == 1 => Step::Match(Found::new("iban", 0, at + 1)),
                Some(_) => Step::No,
            };
        }
    }
    if sight.complete { Step::No } else { Step::More }
}

fn iban_len(country: &[u8]) -> Option<usize> {
    let country = [
        country.first()?.to_ascii_uppercase(),
        country.get(1)?.to_ascii_uppercase(),
    ];
    let entries = IBAN_LENGTHS.as_bytes().chunks_exact(4);
    let entry = entries.into_iter().find(|entry| entry.starts_with(&country))?;
    std::str::from_utf8(entry.get(2..)?).ok()?.parse().ok()
}

/// The remainder by 97 as the next character is written behind; letters count from 10.
fn modulo(rest: u32, byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97,
    }
}
