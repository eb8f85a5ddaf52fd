//! TOML as JSON, so that a Worker has one deserializer, with the way back to where each part stood.

use edge_ai_core::Result;
use toml::de::{DeTable, DeValue};

use super::place::{Position, in_json};
use super::read::located;

/// A document of TOML, written as JSON.
pub(super) struct Translated<'a> {
    pub(super) json: String,
    toml: &'a str,
    /// Where keys and values begin, in the JSON and in the TOML, in order.
    marks: Vec<(usize, usize)>,
}

impl<'a> Translated<'a> {
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) with the line, for what is no TOML.
    pub(super) fn new(toml: &'a str) -> Result<Self> {
        let table = DeTable::parse(toml).map_err(|error| {
            let position = error.span().map(|span| Position::of(toml, span.start));
            located(position, None, error.message())
        })?;
        let mut translated = Self {
            json: String::new(),
            toml,
            marks: Vec::new(),
        };
        translated.table(table.get_ref());
        Ok(translated)
    }

    /// Where in the TOML the byte at `offset` of the JSON comes from.
    pub(super) fn position(&self, offset: usize) -> Position {
        let after = self.marks.partition_point(|(json, _)| *json <= offset);
        let mark = after.checked_sub(1).and_then(|at| self.marks.get(at));
        Position::of(self.toml, mark.map_or(0, |(_, toml)| *toml))
    }

    /// Where the value at a place stands.
    pub(super) fn find(&self, place: &str) -> Option<Position> {
        in_json(&self.json, place).map(|position| self.position(position.column - 1))
    }

    fn table(&mut self, table: &DeTable<'_>) {
        self.json.push('{');
        for (at, (key, value)) in table.iter().enumerate() {
            if at > 0 {
                self.json.push(',');
            }
            self.mark(key.span().start);
            self.text(key.get_ref());
            self.json.push(':');
            self.mark(value.span().start);
            self.value(value.get_ref());
        }
        self.json.push('}');
    }

    fn value(&mut self, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.table(table),
            DeValue::Array(items) => {
                self.json.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.json.push(',');
                    }
                    self.mark(item.span().start);
                    self.value(item.get_ref());
                }
                self.json.push(']');
            }
            DeValue::String(text) => self.text(text),
            DeValue::Boolean(true) => self.json.push_str("true"),
            DeValue::Boolean(false) => self.json.push_str("false"),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => self.json.push_str(&number.to_string()),
                Err(_) => self.text(number.as_str()),
            },
            // JSON has no infinity, and a time is a text: where a number belongs, either is told as what it is not.
            DeValue::Float(number) => match number
                .as_str()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
            {
                Some(number) => self.json.push_str(&serde_json::Value::from(number).to_string()),
                None => self.text(number.as_str()),
            },
            DeValue::Datetime(time) => self.text(&time.to_string()),
        }
    }

    fn mark(&mut self, toml: usize) {
        self.marks.push((self.json.len(), toml));
    }

    fn text(&mut self, text: &str) {
        self.json.push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_over() {
        let toml =
            "a = 1\nb = [true, 0x1F, 2.5, -7]\n[c.\"d.e\"]\nf = \"\\\"ü\\\"\"\ng = 1979-05-27\nh = inf\n";
        let translated = Translated::new(toml).unwrap();
        let expected = r#"{"a":1,"b":[true,31,2.5,-7],"c":{"d.e":{"f":"\"ü\"","g":"1979-05-27","h":"inf"}}}"#;
        let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(read(&translated.json), read(expected));
        assert_eq!(
            translated.find("b[2]").map(|at| (at.line, at.column)),
            Some((2, 18))
        );
        let place = ["c", "d.e", "g"].join(super::super::place::SEPARATOR);
        assert_eq!(translated.find(&place).map(|at| at.line), Some(5));
    }
}
