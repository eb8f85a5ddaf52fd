use std::borrow::Cow;

use edge_ai_core::{Extra, RawJson, ToolCallDelta};
use serde_json::value::RawValue;

use super::chunk::{Call, Function};
use crate::openai::CHAT;

/// The calls of an answer so far: numbers them from 0 in the order of their beginnings, whatever the server's indexes are, and says each
/// id and name once.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Known>);

#[derive(Debug)]
struct Known {
    index: u32,
    id: String,
    named: bool,
}

impl Calls {
    /// The next piece of a call; `None` when it says nothing.
    pub(super) fn push(&mut self, call: Call<'_>) -> Option<ToolCallDelta> {
        let Call {
            index,
            id,
            function,
            extra_content,
        } = call;
        let function = function.unwrap_or_default();
        let id = id.unwrap_or_default().0;
        let index = index.map(|index| u32::try_from(index.0).unwrap_or(u32::MAX));
        let named = function.name.as_ref().is_some_and(|name| !name.0.is_empty());
        let at = self.place(index, &id, named);
        self.piece(at, &id, &function, extra_content)
    }

    /// The next piece of the one call of the deprecated kind.
    pub(super) fn push_function(&mut self, function: Function<'_>) -> Option<ToolCallDelta> {
        let at = self.place(Some(0), "", false);
        self.piece(at, "", &function, None)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The call's place; a new one for a call that begins.
    fn place(&mut self, index: Option<u32>, id: &str, named: bool) -> usize {
        // Some servers number all calls 0, some do not number them; then only a new id tells that another begins.
        let other = |known: &Known| !id.is_empty() && !known.id.is_empty() && known.id != id;
        let at = match index {
            Some(index) => self.0.iter().rposition(|known| known.index == index),
            // A call without index and id begins with a name, as some of Gemini's do.
            None if id.is_empty() => {
                let last = self.0.len().checked_sub(1);
                last.filter(|last| !(named && self.0.get(*last).is_some_and(|last| last.named)))
            }
            None => self.0.iter().rposition(|known| known.id == id),
        };
        match at {
            Some(at) if !self.0.get(at).is_some_and(other) => at,
            _ => {
                let index = index.unwrap_or_else(|| u32::try_from(self.0.len()).unwrap_or(u32::MAX));
                self.0.push(Known {
                    index,
                    id: String::new(),
                    named: false,
                });
                self.0.len() - 1
            }
        }
    }

    fn piece(
        &mut self,
        at: usize,
        id: &str,
        function: &Function<'_>,
        extra_content: Option<&RawValue>,
    ) -> Option<ToolCallDelta> {
        let known = self.0.get_mut(at)?;
        let mut delta = ToolCallDelta::arguments(u32::try_from(at).ok()?, arguments(function));
        if known.id.is_empty() && !id.is_empty() {
            known.id = id.to_owned();
            delta.id = Some(id.to_owned());
        }
        let name = function.name.as_ref().map(|name| &*name.0);
        let name = name.filter(|name| !name.is_empty() && !known.named);
        if let Some(name) = name {
            known.named = true;
            delta.name = Some(name.to_owned());
        }
        if let Some(content) = extra_content.filter(|content| content.get() != "null") {
            let field = ("extra_content".to_owned(), RawJson::from(content.to_owned()));
            delta.extra = Extra::new(CHAT, vec![field]);
        }
        let says = delta.id.is_some() || delta.name.is_some() || !delta.arguments.is_empty();
        (says || !delta.extra.is_empty()).then_some(delta)
    }
}

/// A piece of the arguments' text; some servers write the object itself.
fn arguments(function: &Function<'_>) -> String {
    match function.arguments.map(RawValue::get) {
        None | Some("null") => String::new(),
        Some(text) if text.starts_with('"') => serde_json::from_str::<Cow<'_, str>>(text)
            .map(Cow::into_owned)
            .unwrap_or_default(),
        Some(text) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(deltas: &[&str]) -> Vec<(u32, Option<String>, Option<String>, String)> {
        let mut calls = Calls::default();
        let read = deltas
            .iter()
            .filter_map(|delta| calls.push(serde_json::from_str(delta).unwrap()));
        read.map(|delta| (delta.index, delta.id, delta.name, delta.arguments))
            .collect()
    }

    #[test]
    fn ids_and_names_come_once() {
        let deltas = read(&[
            r#"{"index":1,"id":"a","function":{"name":"f","arguments":""}}"#,
            r#"{"index":1,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
            r#"{"index":1,"id":"","function":{"name":"","arguments":"1}"}}"#,
            r#"{"index":1,"function":{"arguments":null}}"#,
        ]);
        let (a, f) = (Some("a".to_owned()), Some("f".to_owned()));
        assert_eq!(
            deltas,
            [
                (0, a, f, String::new()),
                (0, None, None, "{\"x\":".into()),
                (0, None, None, "1}".into())
            ]
        );
    }

    #[test]
    fn calls_without_index_or_with_one_index_are_told_apart_by_id() {
        for index in ["", r#""index":0,"#] {
            let deltas = read(&[
                &format!(r#"{{{index}"id":"a","function":{{"name":"f","arguments":"{{}}"}}}}"#),
                &format!(r#"{{{index}"id":"b","function":{{"name":"f","arguments":{{"x":1}}}}}}"#),
                &format!(r#"{{{index}"function":{{"arguments":" "}}}}"#),
            ]);
            let seen: Vec<_> = deltas
                .iter()
                .map(|(index, _, _, arguments)| (*index, arguments.as_str()))
                .collect();
            assert_eq!(seen, [(0, "{}"), (1, r#"{"x":1}"#), (1, " ")]);
        }
    }

    #[test]
    fn calls_without_index_and_id_are_told_apart_by_name() {
        let deltas = read(&[
            r#"{"id":"","function":{"name":"f","arguments":"{}"}}"#,
            r#"{"function":{"name":"f","arguments":"{\"x\":"}}"#,
            r#"{"function":{"arguments":"1}"}}"#,
        ]);
        let seen: Vec<_> = deltas
            .iter()
            .map(|(index, _, _, arguments)| (*index, arguments.as_str()))
            .collect();
        assert_eq!(seen, [(0, "{}"), (1, "{\"x\":"), (1, "1}")]);
    }

    #[test]
    fn interleaved_calls_keep_their_places() {
        let deltas = read(&[
            r#"{"index":0,"id":"a","function":{"name":"f"}}"#,
            r#"{"index":1,"id":"b","function":{"name":"g"}}"#,
            r#"{"index":0,"function":{"arguments":"{"}}"#,
            r#"{"index":1,"function":{"arguments":"["}}"#,
        ]);
        assert_eq!(
            deltas.iter().map(|delta| delta.0).collect::<Vec<_>>(),
            [0, 1, 0, 1]
        );
    }
}
