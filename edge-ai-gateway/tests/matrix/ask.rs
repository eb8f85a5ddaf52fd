//! What is asked, apart from any dialect: clients' dialects write it, vendors' read it, and both must be the same.

use serde_json::{Value, json};

use super::feature::Feature;

pub(crate) const SYSTEM: &str = "Be brief.";
pub(crate) const QUESTION: &str = "What is the weather in Lisbon?";
pub(crate) const PIXELS: &str = "iVBORw0KGgo=";
pub(crate) const PAGES: &str = "JVBERi0xLjQ=";

/// A request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ask {
    pub(crate) system: Option<String>,
    pub(crate) items: Vec<Item>,
    /// Names and schemas.
    pub(crate) tools: Vec<(String, Value)>,
    pub(crate) choice: Option<Choice>,
    pub(crate) parallel: Option<bool>,
    pub(crate) schema: Option<Value>,
    pub(crate) thinks: bool,
    /// Something is marked as the end of what may be cached.
    pub(crate) mark: bool,
    pub(crate) cache_key: Option<String>,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_k: Option<u64>,
    pub(crate) seed: Option<u64>,
    pub(crate) penalty: Option<f64>,
    pub(crate) stop: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) choices: Option<u64>,
}

/// A part of the conversation, whichever message it is in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    User(String),
    /// An address, or `data:`.
    Image(String),
    /// A PDF's bytes.
    Document(String),
    Assistant(String),
    Thought {
        text: String,
        signature: Option<String>,
    },
    Call(Call),
    Result {
        id: String,
        text: String,
        failed: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Choice {
    Any,
    Named(String),
}

impl Call {
    pub(crate) fn new(id: &str, name: &str, arguments: Value) -> Self {
        let (id, name) = (id.to_owned(), name.to_owned());
        Self { id, name, arguments }
    }

    /// Two in parallel, one of them without arguments.
    pub(crate) fn both() -> [Self; 2] {
        [
            Self::new("call_1", "get_weather", json!({"city": "Lisbon"})),
            Self::new("call_2", "get_time", json!({})),
        ]
    }
}

/// `{"city": "…"}`.
pub(crate) fn city() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false})
}

impl Ask {
    pub(crate) fn of(feature: Feature) -> Self {
        let mut ask = Self {
            items: vec![Item::User(QUESTION.to_owned())],
            ..Self::default()
        };
        let no_input = json!({"type": "object", "properties": {}});
        let tools = || {
            vec![
                (String::from("get_weather"), city()),
                (String::from("get_time"), no_input),
            ]
        };
        let result = |id: &str, failed| Item::Result {
            id: id.to_owned(),
            text: format!("result of {id}"),
            failed,
        };
        match feature {
            Feature::Instructions => ask.system = Some(SYSTEM.to_owned()),
            Feature::Turns => ask.items.extend([
                Item::Assistant(String::from("Sunny.")),
                Item::User(String::from("And tomorrow?")),
            ]),
            Feature::ParallelTools => ask.tools = tools(),
            Feature::ToolResults | Feature::FailedTool => {
                ask.tools = tools();
                ask.items.extend(Call::both().map(Item::Call));
                let failed = feature == Feature::FailedTool;
                ask.items
                    .extend([result("call_1", failed), result("call_2", false)]);
            }
            Feature::ForcedTool => {
                ask.tools = tools();
                ask.choice = Some(Choice::Named(String::from("get_weather")));
            }
            Feature::AnyTool => {
                ask.tools = tools();
                ask.choice = Some(Choice::Any);
            }
            Feature::OneToolAtATime => {
                ask.tools = tools();
                ask.parallel = Some(false);
            }
            Feature::ImageBytes => ask
                .items
                .push(Item::Image(format!("data:image/png;base64,{PIXELS}"))),
            Feature::ImageAddress => ask
                .items
                .push(Item::Image(String::from("https://example.com/a.png"))),
            Feature::Document => ask.items.push(Item::Document(PAGES.to_owned())),
            Feature::Schema => ask.schema = Some(city()),
            Feature::Reasoning | Feature::ReasoningTokens => ask.thinks = true,
            Feature::SignedThoughts => {
                ask.thinks = true;
                ask.tools = tools();
            }
            Feature::CacheMarks => {
                ask.system = Some(SYSTEM.to_owned());
                ask.mark = true;
            }
            Feature::CacheKey => ask.cache_key = Some(String::from("tenant-7")),
            Feature::MaxTokens => ask.max_tokens = Some(321),
            Feature::Temperature => ask.temperature = Some(0.5),
            Feature::TopK => ask.top_k = Some(7),
            Feature::Seed => ask.seed = Some(42),
            Feature::Penalties => ask.penalty = Some(0.5),
            Feature::StopSequences | Feature::StoppedBySequence => ask.stop = vec![String::from("END")],
            Feature::EndUser => ask.user = Some(String::from("user-7")),
            Feature::Choices => ask.choices = Some(2),
            _ => {}
        }
        ask
    }

    /// What of `self`, which was asked for the sake of a feature, did not arrive.
    pub(crate) fn missing_in(&self, arrived: &Self) -> Option<String> {
        let mut arrived = arrived.clone();
        let mut told = self.clone();
        // What the vendor is told unasked is no loss.
        for (ours, theirs) in [
            (&told.max_tokens, &mut arrived.max_tokens),
            (&told.top_k, &mut arrived.top_k),
        ] {
            if ours.is_none() {
                *theirs = None;
            }
        }
        if told.parallel.is_none() {
            arrived.parallel = None;
        }
        // Where a tool cannot be named, it is the only one that is left, and one must be called.
        if let (Some(Choice::Named(name)), Some(Choice::Any), [(only, _)]) =
            (&told.choice, &arrived.choice, arrived.tools.as_slice())
            && name == only
        {
            arrived.choice = told.choice.clone();
            told.tools.retain(|(name, _)| name == only);
        }
        arrived.thinks &= told.thinks;
        arrived.mark &= told.mark;
        // A vendor may have rules for ids; that each result is that of its call is what matters.
        told.number_calls();
        arrived.number_calls();
        crate::differences!(told, arrived: system, items, tools, choice, parallel, schema, thinks, mark, cache_key, max_tokens, temperature, top_k, seed, penalty, stop, user, choices)
    }

    fn number_calls(&mut self) {
        let mut ids: Vec<String> = Vec::new();
        for item in &mut self.items {
            let (Item::Call(Call { id, .. }) | Item::Result { id, .. }) = item else {
                continue;
            };
            let at = ids.iter().position(|known| known == id).unwrap_or_else(|| {
                ids.push(id.clone());
                ids.len() - 1
            });
            *id = format!("#{at}");
        }
    }
}
