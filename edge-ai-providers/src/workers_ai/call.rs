use edge_ai_core::{Result, ToolCall};

use super::TextExchange;
use crate::wire::{Fields, Path, read};

/// A call, or a piece of one, in either shape: `{"name","arguments":{…}}`, or OpenAI's with a `function`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct WireCall {
    pub(super) index: Option<u64>,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    /// JSON text, or a piece of it; empty without any.
    pub(super) arguments: String,
}

impl WireCall {
    pub(super) fn read(text: &str, path: Path<'_>) -> Result<Self> {
        let mut fields = Fields::parse(text, path)?;
        let index = fields.take("index")?;
        let id = fields.take("id")?;
        let (name, arguments) = match fields.take_raw("function") {
            Some(function) => name_and_arguments(Fields::parse(function, path)?)?,
            None => name_and_arguments(fields)?,
        };
        Ok(Self {
            index,
            id: given(id),
            name: given(name),
            arguments,
        })
    }

    /// Whether it is the empty piece that ends a call in some models' streams.
    pub(super) fn is_end(&self) -> bool {
        self.id.is_none() && self.name.is_none() && self.arguments.is_empty()
    }

    /// As the exchange's whole call number `index`.
    pub(super) fn into_call(self, index: u32, exchange: &TextExchange) -> ToolCall {
        let arguments = if self.arguments.is_empty() {
            "{}".to_owned()
        } else {
            self.arguments
        };
        ToolCall::new(
            self.id.unwrap_or_else(|| exchange.call_id(index)),
            self.name.unwrap_or_default(),
            arguments,
        )
    }
}

fn name_and_arguments(mut fields: Fields<'_>) -> Result<(Option<String>, String)> {
    let name = fields.take("name")?;
    let arguments = match fields.take_raw("arguments") {
        None => String::new(),
        Some(text) if text.starts_with('"') => read(text, &fields.path().field("arguments"))?,
        Some(json) => json.to_owned(),
    };
    Ok((name, arguments))
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_call(text: &str) -> WireCall {
        WireCall::read(text, Path::ROOT).unwrap()
    }

    fn exchange() -> TextExchange {
        TextExchange::new("m", b"{}")
    }

    #[test]
    fn both_shapes() {
        let flat = read_call(r#"{"name":"f","arguments":{"b":1,"a":2.50}}"#);
        assert_eq!(
            flat.into_call(0, &exchange()),
            ToolCall::new(exchange().call_id(0), "f", r#"{"b":1,"a":2.50}"#)
        );
        let nested = read_call(
            r#"{"id":"x","type":"function","index":3,"function":{"name":"f","arguments":"{\"a\":1}"}}"#,
        );
        assert_eq!(
            (nested.index, nested.id.as_deref(), nested.arguments.as_str()),
            (Some(3), Some("x"), r#"{"a":1}"#)
        );
        assert_eq!(
            read_call(r#"{"name":"f","arguments":null}"#)
                .into_call(2, &exchange())
                .arguments,
            "{}"
        );
    }

    #[test]
    fn the_empty_piece_is_an_end() {
        assert!(
            read_call(r#"{"id":null,"type":null,"index":0,"function":{"name":null,"arguments":""}}"#)
                .is_end()
        );
        assert!(!read_call(r#"{"index":0,"function":{"arguments":"{"}}"#).is_end());
    }
}
