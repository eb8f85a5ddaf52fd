use super::*;
use crate::scan::find;

fn found(text: &str) -> Vec<(String, String)> {
    let hits = find(text, &Pii::all());
    hits.into_iter()
        .map(|hit| (hit.category.into_owned(), hit.text))
        .collect()
}

#[track_caller]
fn is(category: &str, wanted: &str, text: &str) {
    assert_eq!(
        found(text),
        [(category.to_owned(), wanted.to_owned())],
        "in {text:?}"
    );
}

#[track_caller]
fn none(text: &str) {
    assert_eq!(found(text), [], "in {text:?}");
}

#[test]
fn email_addresses() {
    is("email", "ada@example.com", "Write to ada@example.com.");
    is(
        "email",
        "ada.l+x_1@mail.example.co.uk",
        "<ada.l+x_1@mail.example.co.uk>",
    );
    is("email", "jürgen@bücher.de", "mailto:jürgen@bücher.de?subject=x");
    is("email", "a@b.co", "'a@b.co'");
    is("email", "bob@example.com", "bob@example.com-see");
    is("email", "bob@example.com", "bob@example.com.2");
    is("email", "x@xn--bcher-kva.xn--p1ai", "x@xn--bcher-kva.xn--p1ai");
    for text in [
        "user@localhost",
        "@handle",
        "icon@2x.png",
        "git@github.com:o/r",
        "a@b",
        "pkg@1.2.3",
        "@.com",
        "x@.com",
    ] {
        none(text);
    }
}

#[test]
fn phone_numbers() {
    for (number, text) in [
        ("+49 30 1234567", "call +49 30 1234567 today"),
        ("+1 (555) 234-5678", "+1 (555) 234-5678"),
        ("+442079460958", "tel:+442079460958"),
        ("0049 30 1234567", "0049 30 1234567"),
        ("(555) 234-5678", "at (555) 234-5678."),
        ("555-234-5678", "555-234-5678, or"),
        ("1-800-555-1234", "1-800-555-1234"),
        ("555.234.5678", "555.234.5678"),
        ("030 1234567", "030 1234567"),
        ("020 7946 0958", "020 7946 0958"),
        ("06 12 34 56 78", "06 12 34 56 78"),
        ("0171/1234567", "0171/1234567"),
        ("(0171) 1234567", "(0171) 1234567"),
    ] {
        is("phone", number, text);
    }
    for text in [
        "01.02.2023",
        "2023-11-24 10:30:00",
        "1,234,567,890",
        "0.123456789",
        "3.14159265358",
        "+1.5 degrees",
        "order 1234567890",
        "123-456-7890123",
        "ISBN 978-3-16-148410-0",
        "0x1234567890",
        "1699999999",
        "111-222-3333",
        "5 + 12345678",
    ] {
        none(text);
    }
}

#[test]
fn regions_are_chosen() {
    let europe = Pii::of([PiiKind::Phone]).regions([Region::Europe]);
    assert!(find("555-234-5678", &europe).is_empty());
    assert_eq!(find("+1 555 234 5678 or 030 1234567", &europe).len(), 2);
}

#[test]
fn payment_cards() {
    for number in [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5555555555554444",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "30569309025904",
    ] {
        is("credit_card", number, &format!("card {number}, thanks"));
    }
    is(
        "credit_card",
        "4111 1111 1111 1111",
        "4111 1111 1111 1111 exp 12/29",
    );
    for text in [
        "4111 1111 1111 1112",
        "1234567812345670",
        "41111111111111111111111",
        "x4111111111111111",
    ] {
        none(text);
    }
}

#[test]
fn account_numbers() {
    for number in [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "NO9386011117947",
    ] {
        is("iban", number, &format!("to {number}."));
    }
    for text in [
        "DE88370400440532013000",
        "DE8937040044053201300",
        "XX89370400440532013000",
    ] {
        none(text);
    }
}

#[test]
fn social_security_numbers() {
    is("us_ssn", "123-45-6789", "SSN 123-45-6789");
    is("us_ssn", "123 45 6789", "123 45 6789.");
    for text in [
        "000-12-3456",
        "666-12-3456",
        "912-12-3456",
        "123-00-4567",
        "123-45-0000",
        "1234-45-6789",
        "123-45-67890",
        "123-45 6789",
    ] {
        none(text);
    }
}

#[test]
fn ip_addresses() {
    is("ip_address", "203.0.113.9", "from 203.0.113.9.");
    is("ip_address", "203.0.113.9", "203.0.113.9:8080");
    is(
        "ip_address",
        "2001:db8::8a2e:370:7334",
        "[2001:db8::8a2e:370:7334]:443",
    );
    is("ip_address", "fe80::1", "fe80::1.");
    for text in [
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "v1.2.3.4",
        "127.0.0.1",
        "::1",
        "12:30:45",
        "std::vec",
        "dead::beef",
        "00:1a:2b:3c:4d:5e",
        "a::b",
    ] {
        none(text);
    }
}

#[test]
fn shapes_of_ones_own() {
    let pii = Pii::of([])
        .shape("nino", "@@ ## ## ## @")
        .unwrap()
        .shape("ticket", "T-###")
        .unwrap();
    let hits = |text| {
        find(text, &pii)
            .into_iter()
            .map(|hit| hit.text)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        hits("QQ 12 34 56 C, QQ123456C and T-123"),
        ["QQ 12 34 56 C", "QQ123456C", "T-123"]
    );
    assert!(hits("T-1234, xT-123, QQ 12 34 56 CC").is_empty());
    assert!(Pii::of([]).shape("x", "abc").is_err());
}
