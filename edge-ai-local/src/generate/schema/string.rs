//! Strings by their format, by their property's name, and by what the text offers.

use serde_json::Value;

use super::Filler;

impl Filler<'_> {
    pub(super) fn string(&self, name: &str, schema: &Value) -> String {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        let value = by_format(format, self).unwrap_or_else(|| self.by_name(&name.to_lowercase()));
        let length = |key| schema.get(key).and_then(Value::as_u64).map(|n| n as usize);
        let mut value: String = value
            .chars()
            .take(length("maxLength").unwrap_or(usize::MAX))
            .collect();
        let missing = length("minLength")
            .unwrap_or(0)
            .min(4096)
            .saturating_sub(value.chars().count());
        value.extend(std::iter::repeat_n('x', missing));
        value
    }

    fn by_name(&self, name: &str) -> String {
        let hints = self.hints;
        let is = |names: &[&str]| names.iter().any(|n| name.contains(n));
        let first = |list: &[String]| list.first().cloned();
        if is(&["email"]) {
            first(&hints.emails).unwrap_or_else(|| "ada@example.com".into())
        } else if is(&["url", "uri", "link"]) {
            first(&hints.urls).unwrap_or_else(|| "https://example.com/".into())
        } else if is(&["date"]) {
            first(&hints.dates).unwrap_or_else(|| "2026-01-01".into())
        } else if is(&["expression", "formula"]) {
            first(&hints.quoted)
                .or_else(|| arithmetic(&hints.text))
                .unwrap_or_else(|| hints.text.clone())
        } else if is(&["answer", "summary", "reply", "response", "explanation", "reason"]) {
            hints.answer.clone().unwrap_or_else(|| hints.text.clone())
        } else if is(&[
            "query", "question", "prompt", "input", "message", "content", "body", "text", "search",
        ]) {
            first(&hints.quoted).unwrap_or_else(|| hints.text.clone())
        } else if is(&[
            "city",
            "location",
            "place",
            "country",
            "destination",
            "address",
            "region",
            "where",
        ]) {
            self.next(&[&hints.places, &hints.names, &hints.quoted])
        } else {
            let people: Vec<String> = hints
                .names
                .iter()
                .filter(|n| !hints.places.contains(n))
                .cloned()
                .collect();
            self.next(&[&hints.quoted, &people, &hints.names])
        }
    }

    /// The first offer not handed out yet; the first of all when all were; the text when there is none.
    fn next(&self, lists: &[&[String]]) -> String {
        let mut used = self.used.borrow_mut();
        let mut offers = lists.iter().copied().flatten();
        let fresh = offers
            .clone()
            .find(|offer| !used.strings.contains(offer))
            .or_else(|| offers.next())
            .cloned();
        match fresh {
            Some(value) => {
                used.strings.push(value.clone());
                value
            }
            None => crate::generate::text::shorten(&self.hints.text, 120),
        }
    }
}

fn by_format(format: &str, filler: &Filler<'_>) -> Option<String> {
    let hints = filler.hints;
    let date = hints
        .dates
        .first()
        .and_then(|d| d.get(..10))
        .unwrap_or("2026-01-01");
    let value = match format {
        "date" => date.to_owned(),
        "date-time" => match hints.dates.first() {
            Some(date) if date.len() > 10 => date.clone(),
            _ => format!("{date}T00:00:00Z"),
        },
        "time" => "12:00:00Z".to_owned(),
        "duration" => "PT1H".to_owned(),
        "email" | "idn-email" => hints
            .emails
            .first()
            .cloned()
            .unwrap_or_else(|| "ada@example.com".into()),
        "uri" | "url" | "iri" => hints
            .urls
            .first()
            .cloned()
            .unwrap_or_else(|| "https://example.com/".into()),
        "uuid" => "00000000-0000-4000-8000-000000000000".to_owned(),
        "ipv4" => "192.0.2.1".to_owned(),
        "ipv6" => "2001:db8::1".to_owned(),
        "hostname" => "example.com".to_owned(),
        _ => return None,
    };
    Some(value)
}

/// The longest run of digits, operators, brackets and blanks that holds an operation.
fn arithmetic(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_digit() || "+-*/^().% ×÷".contains(c);
    text.split(|c: char| !is_part(c))
        .map(|run| run.trim().trim_end_matches('.'))
        .filter(|run| run.contains(|c| "+-*/^×÷%".contains(c)) && run.contains(|c: char| c.is_ascii_digit()))
        .max_by_key(|run| run.len())
        .map(str::to_owned)
}
