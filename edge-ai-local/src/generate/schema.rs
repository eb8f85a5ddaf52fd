//! Instances of a JSON Schema, filled in from what a text offers.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value};

use super::hints::Hints;

mod number;
mod string;

/// Depth at which optional parts are left off, so that recursive schemas end.
const DEEP: usize = 6;
/// Depth at which everything ends.
const DEEPEST: usize = 24;
/// Items an array gets, unless `minItems` asks for more.
const ITEMS: usize = 16;
/// Values made in one instance at most; the rest is null.
const VALUES: usize = 10_000;

/// Whether properties that are not required are filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Optional {
    /// Always: structured answers.
    Always,
    /// Only where the text mentions them: tool arguments.
    WhenMentioned,
}

/// Makes an instance that the schema accepts.
///
/// Follows `$ref` within the document, `allOf`, `anyOf`, `oneOf`, `const`, `enum`, types and their bounds;
/// a `pattern` is met only by values the text happens to offer.
pub(crate) fn synthesize(schema: &Value, hints: &Hints, optional: Optional) -> Value {
    let filler = Filler {
        root: schema,
        hints,
        optional,
        used: RefCell::default(),
        made: Cell::new(0),
    };
    filler.value("", schema, 0)
}

/// What of the hints has been handed out already, so that two fields get two names.
#[derive(Debug, Default)]
struct Used {
    strings: Vec<String>,
    numbers: usize,
}

#[derive(Debug)]
struct Filler<'a> {
    root: &'a Value,
    hints: &'a Hints,
    optional: Optional,
    used: RefCell<Used>,
    made: Cell<usize>,
}

impl Filler<'_> {
    fn value(&self, name: &str, schema: &Value, depth: usize) -> Value {
        self.made.set(self.made.get() + 1);
        if depth > DEEPEST || self.made.get() > VALUES {
            return Value::Null;
        }
        let schema = self.resolve(schema, depth);
        if let Some(fixed) = schema.get("const") {
            return fixed.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choose(choices);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(branches) = schema.get(key).and_then(Value::as_array) {
                return self.branch(name, branches, depth);
            }
        }
        match self.kind(&schema, depth) {
            "object" => self.object(&schema, depth),
            "array" => self.array(name, &schema, depth),
            "string" => Value::String(self.string(name, &schema)),
            "integer" => self.number(&schema, true),
            "number" => self.number(&schema, false),
            "boolean" => Value::Bool(!self.hints.negative),
            _ => Value::Null,
        }
    }

    /// Follows `$ref`s and folds `allOf` into one schema.
    fn resolve(&self, schema: &Value, depth: usize) -> Value {
        let mut schema = schema.clone();
        for _ in 0..DEEPEST {
            let Some(target) = schema.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let Some(found) = target
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer))
            else {
                break;
            };
            schema = found.clone();
        }
        if depth <= DEEPEST
            && let Some(Value::Array(parts)) = schema.get("allOf").cloned()
            && let Value::Object(into) = &mut schema
        {
            into.remove("allOf");
            for part in &parts {
                let part = self.resolve(part, depth + 4);
                merge(into, &part);
            }
        }
        schema
    }

    fn kind<'s>(&self, schema: &'s Value, depth: usize) -> &'s str {
        match schema.get("type") {
            Some(Value::String(kind)) => kind,
            Some(Value::Array(kinds)) => {
                let mut named = kinds.iter().filter_map(Value::as_str);
                let nullable = kinds.iter().any(|kind| kind == "null");
                if nullable && depth > DEEP {
                    "null"
                } else {
                    named.find(|kind| *kind != "null").unwrap_or("null")
                }
            }
            _ if schema.get("properties").is_some() => "object",
            _ if schema.get("items").is_some() => "array",
            _ => "string",
        }
    }

    fn choose(&self, choices: &[Value]) -> Value {
        let text = self.hints.text.to_lowercase();
        let mentioned = choices.iter().find(|choice| match choice {
            Value::String(s) => !s.is_empty() && mentions(&text, s),
            Value::Number(n) => n.as_f64().is_some_and(|n| self.hints.numbers.contains(&n)),
            _ => false,
        });
        mentioned.or(choices.first()).cloned().unwrap_or(Value::Null)
    }

    fn branch(&self, name: &str, branches: &[Value], depth: usize) -> Value {
        let null = |branch: &&Value| branch.get("type").is_some_and(|kind| kind == "null");
        let nullable = branches.iter().any(|branch| null(&branch));
        if nullable && depth > DEEP {
            return Value::Null;
        }
        branches
            .iter()
            .find(|branch| !null(branch))
            .map_or(Value::Null, |branch| self.value(name, branch, depth + 1))
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let empty = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut object = Map::new();
        for (name, property) in properties {
            let wanted = required.contains(&name.as_str())
                || depth < DEEP
                    && match self.optional {
                        Optional::Always => true,
                        Optional::WhenMentioned => self.mentioned(name, property),
                    };
            if wanted {
                object.insert(name.clone(), self.value(name, property, depth + 1));
            }
        }
        for name in required {
            if !object.contains_key(name) {
                let loose = schema.get("additionalProperties").filter(|more| more.is_object());
                object.insert(
                    name.to_owned(),
                    self.value(name, loose.unwrap_or(&Value::Null), depth + 1),
                );
            }
        }
        Value::Object(object)
    }

    fn mentioned(&self, name: &str, property: &Value) -> bool {
        let text = self.hints.text.to_lowercase();
        let property = self.resolve(property, 0);
        let named = name
            .split(['_', '-'])
            .any(|part| part.len() > 2 && mentions(&text, part));
        let chosen = property
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|choices| {
                choices
                    .iter()
                    .filter_map(Value::as_str)
                    .any(|choice| mentions(&text, choice))
            });
        named || chosen
    }

    fn array(&self, name: &str, schema: &Value, depth: usize) -> Value {
        let bound = |key| schema.get(key).and_then(Value::as_u64).map(|n| n as usize);
        let least = bound("minItems").unwrap_or(0).min(VALUES);
        let most = bound("maxItems").unwrap_or(ITEMS).min(ITEMS).max(least);
        let fixed = schema.get("prefixItems").and_then(Value::as_array);
        if let Some(fixed) = fixed {
            return fixed
                .iter()
                .take(most)
                .map(|item| self.value(name, item, depth + 1))
                .collect();
        }
        let any = Value::Object(Map::new());
        let item = schema.get("items").unwrap_or(&any);
        let offered = match self.kind(&self.resolve(item, depth), depth) {
            _ if depth > DEEP => 0,
            "string" => self.hints.names.len().max(self.hints.quoted.len()),
            "integer" | "number" => self.hints.numbers.len(),
            _ => 1,
        };
        let len = offered
            .max(1)
            .max(least)
            .min(if depth > DEEP { least } else { most })
            .min(ITEMS.max(least));
        let singular = name.strip_suffix('s').unwrap_or(name);
        (0..len).map(|_| self.value(singular, item, depth + 1)).collect()
    }
}

fn merge(into: &mut Map<String, Value>, part: &Value) {
    for (key, value) in part.as_object().into_iter().flatten() {
        match (into.get_mut(key), value) {
            (Some(Value::Object(have)), Value::Object(more)) => have.extend(more.clone()),
            (Some(Value::Array(have)), Value::Array(more)) => have.extend(more.iter().cloned()),
            (Some(_), _) => {}
            (None, value) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Whether a lower-case text has this as a whole word or words.
fn mentions(text: &str, word: &str) -> bool {
    let word = word.to_lowercase().replace(['_', '-'], " ");
    text.match_indices(word.as_str()).any(|(at, _)| {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        edge(text[..at].chars().next_back()) && edge(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests;
