use std::borrow::Cow;
use std::fmt;

use edge_ai_core::RawJson;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Lenient, details};
use crate::openai::thinking::{BLOCKS, Block};
use crate::openai::usage::{Count, UsageFields};

/// A `chat.completion.chunk`, with whatever a compatible server leaves out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    object: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) model: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    pub(super) usage: Option<UsageFields>,
    #[serde(borrow)]
    pub(super) service_tier: Option<Text<'a>>,
    /// Groq's place for the usage, in the last chunk, and for an error that ended the stream.
    pub(super) x_groq: Option<XGroq>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct XGroq {
    pub(super) usage: Option<UsageFields>,
    pub(super) error: Option<Lenient>,
}

impl Chunk<'_> {
    /// Whether it is an error in the place of a chunk.
    pub(super) fn is_error(&self) -> bool {
        self.error.is_some() || self.object.as_ref().is_some_and(|object| object.0 == "error")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    pub(super) index: Option<Count>,
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Option<Text<'a>>,
    /// OpenRouter's place for an error in the middle of an answer.
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

impl Choice<'_> {
    /// Whether it tells why the choice ended.
    pub(super) fn is_last(&self) -> bool {
        self.finish_reason
            .as_ref()
            .is_some_and(|reason| !reason.0.is_empty())
    }
}

/// What comes new with a chunk.
#[derive(Debug, Default)]
pub(super) struct Delta<'a> {
    pub(super) content: Option<Lenient>,
    pub(super) refusal: Option<Lenient>,
    pub(super) reasoning_content: Option<Lenient>,
    pub(super) reasoning: Option<Lenient>,
    pub(super) thinking_blocks: Option<Vec<Block>>,
    pub(super) reasoning_details: Option<&'a RawValue>,
    pub(super) tool_calls: Option<Vec<Call<'a>>>,
    pub(super) function_call: Option<Function<'a>>,
    /// Unknown fields that say something.
    pub(super) others: Vec<(String, RawJson)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call<'a> {
    pub(super) index: Option<Count>,
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) function: Option<Function<'a>>,
    /// Google's place for the thought's signature, without which it refuses the next turn.
    #[serde(borrow)]
    pub(super) extra_content: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
}

/// By hand: the unknown fields are kept as their text, and cost nothing where there is none.
impl<'de: 'a, 'a> Deserialize<'de> for Delta<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Delta<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Delta<'de>, A::Error> {
                let mut delta = Delta::default();
                while let Some(Text(name)) = map.next_key()? {
                    match &*name {
                        "role" => drop(map.next_value::<serde::de::IgnoredAny>()?),
                        "content" => delta.content = map.next_value()?,
                        "refusal" => delta.refusal = map.next_value()?,
                        "reasoning_content" => delta.reasoning_content = map.next_value()?,
                        "reasoning" => delta.reasoning = map.next_value()?,
                        "tool_calls" => delta.tool_calls = map.next_value()?,
                        "function_call" => delta.function_call = map.next_value()?,
                        BLOCKS => delta.thinking_blocks = map.next_value()?,
                        details::FIELD => delta.reasoning_details = map.next_value()?,
                        _ => {
                            let value: &RawValue = map.next_value()?;
                            if !matches!(value.get(), "null" | "[]") {
                                delta
                                    .others
                                    .push((name.into_owned(), RawJson::from(value.to_owned())));
                            }
                        }
                    }
                }
                Ok(delta)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// A text, borrowed unless it has escapes: serde borrows a `Cow` in a field of its own, but not within an `Option`.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);
