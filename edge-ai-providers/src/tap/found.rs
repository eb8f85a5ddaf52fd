use edge_ai_core::{ServiceTier, Usage};
use http::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::anthropic::Counts;
use crate::bedrock::TokenUsage;
use crate::gemini::UsageMetadata;
use crate::openai::{Count, UsageFields};

/// What has been found of an answer's model and tokens.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) model: Option<String>,
    usage: Option<Usage>,
    /// Anthropic tells the parts one after the other.
    counts: Option<Counts>,
    tier: ServiceTier,
    conversation: Conversation,
}

/// What a realtime conversation has told. Each of its answers tells its own tokens.
#[derive(Debug, Default)]
struct Conversation {
    answers: Option<Usage>,
    /// What another model took to write down what was said.
    transcriptions: Option<Usage>,
    begun: u64,
    done: u64,
}

/// An event, as far as it tells.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(rename = "modelVersion", borrow)]
    model_version: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(rename = "usageMetadata", borrow)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    /// Anthropic's first event, and Responses' last one, have them one level down; so does Cohere's last one.
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    /// A realtime conversation's first event has the model there.
    #[serde(borrow)]
    session: Option<&'a RawValue>,
}

impl Found {
    /// What Bedrock tells of an invocation in the head.
    pub(super) fn head(&mut self, headers: &HeaderMap) {
        let count = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
        if let Some(input) = count("x-amzn-bedrock-input-token-count") {
            let output = count("x-amzn-bedrock-output-token-count").unwrap_or_default();
            self.usage = Some(Usage::new(input, output));
        }
    }

    /// An event of a stream.
    pub(super) fn event(&mut self, json: &[u8]) {
        // Most events tell nothing, and are not parsed.
        if !tells(json) {
            return;
        }
        let Ok(event) = serde_json::from_slice::<Event<'_>>(json) else {
            return;
        };
        let inner = [event.message, event.response, event.delta].into_iter().flatten();
        let inner = inner.filter_map(|inner| serde_json::from_str::<Event<'_>>(inner.get()).ok());
        for event in inner.chain([event]) {
            self.fields(&event);
        }
    }

    /// An event of a realtime conversation.
    pub(super) fn realtime(&mut self, json: &[u8]) {
        if !tells(json) {
            return;
        }
        let Ok(event) = serde_json::from_slice::<Event<'_>>(json) else {
            return;
        };
        let kind = event.kind.map_or("", |kind| kind.get().trim_matches('"'));
        let told = |value: Option<&RawValue>| {
            let mut found = Self::default();
            found.count(value?.get().as_bytes());
            found.usage
        };
        match kind {
            "session.created" => {
                let session = event
                    .session
                    .and_then(|inner| serde_json::from_str::<Event<'_>>(inner.get()).ok());
                self.model = session
                    .and_then(|session| read::<String>(session.model?.get().as_bytes()))
                    .filter(|model| is_name(model))
                    .or(self.model.take());
            }
            "response.created" => self.conversation.begun += 1,
            "response.done" => {
                self.conversation.done += 1;
                let answer = event
                    .response
                    .and_then(|inner| serde_json::from_str::<Event<'_>>(inner.get()).ok());
                add(
                    &mut self.conversation.answers,
                    told(answer.and_then(|answer| answer.usage)),
                );
            }
            "conversation.item.input_audio_transcription.completed" => {
                add(&mut self.conversation.transcriptions, told(event.usage));
            }
            // Other vendors' conversations, such as Gemini's, tell as their streams do.
            "" => self.fields(&event),
            _ => {}
        }
    }

    /// How many answers of a realtime conversation were begun and have not told what they took.
    pub(super) fn unfinished(&self) -> u64 {
        self.conversation.begun.saturating_sub(self.conversation.done)
    }

    /// What was taken by another model than the one that answers, to write down what was said to it.
    pub(super) fn transcriptions(&self) -> Option<Usage> {
        self.conversation.answers.and(self.conversation.transcriptions)
    }

    fn fields(&mut self, event: &Event<'_>) {
        for (key, value) in [
            ("model", event.model),
            ("modelVersion", event.model_version),
            ("service_tier", event.service_tier),
            ("usage", event.usage),
            ("usageMetadata", event.usage_metadata),
        ] {
            if let Some(value) = value {
                self.field(key, value.get().as_bytes());
            }
        }
    }

    /// A field of the outermost object.
    pub(super) fn field(&mut self, key: &str, value: &[u8]) {
        match key {
            "model" | "modelVersion" => {
                if let Some(model) = read::<String>(value).filter(|model| is_name(model)) {
                    self.model = Some(model);
                }
            }
            "service_tier" => {
                self.tier = read::<String>(value).map_or(self.tier, |tier| ServiceTier::named(&tier))
            }
            "usageMetadata" => {
                self.usage = read::<UsageMetadata>(value)
                    .map(UsageMetadata::usage)
                    .or(self.usage)
            }
            "usage" | "meta" => self.count(value),
            _ => {}
        }
    }

    /// The counts of some vendor, known by their names.
    fn count(&mut self, value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let has = |name: &str| text.contains(name);
        let usage = if has("\"billed_units\"") {
            read::<CohereUsage>(value).map(Usage::from)
        } else if has("\"inputTokens\"") {
            read::<TokenUsage>(value).map(Usage::from)
        } else if has("\"duration\"") {
            read::<Duration>(value).map(Usage::from)
        } else if has("_token_details\"") || has("input_tokens_details\"") {
            read::<OpenAiUsage>(value).map(Usage::from)
        } else if has("\"input_tokens\"") || has("\"output_tokens\"") {
            self.counts = read::<Counts>(value).map(|later| self.counts.unwrap_or_default().updated(later));
            self.counts.map(Counts::usage)
        } else if has("_tokens\"") {
            read::<UsageFields>(value).map(Usage::from)
        } else {
            None
        };
        self.usage = usage.or(self.usage);
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        let conversation = &self.conversation;
        let mut usage = conversation
            .answers
            .or(conversation.transcriptions)
            .or(self.usage)?;
        if usage.service_tier.is_standard() {
            usage.service_tier = self.tier;
        }
        Some(usage)
    }
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Option<T> {
    serde_json::from_slice(value).ok()
}

fn is_name(model: &str) -> bool {
    !model.is_empty() && model.len() <= 256
}

fn add(sum: &mut Option<Usage>, usage: Option<Usage>) {
    if let Some(usage) = usage {
        *sum = Some(sum.map_or(usage, |before| before + usage));
    }
}

/// Whether an event can have something to tell.
fn tells(json: &[u8]) -> bool {
    [&b"usage"[..], b"\"model", b"\"response.created\""]
        .iter()
        .any(|name| json.windows(name.len()).any(|at| at == *name))
}

/// `usage` of the Responses API, of pictures, of transcriptions and of realtime conversations.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OpenAiUsage {
    input_tokens: Count,
    output_tokens: Count,
    #[serde(alias = "input_token_details")]
    input_tokens_details: Option<Details>,
    #[serde(alias = "output_token_details")]
    output_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Count,
    reasoning_tokens: Count,
    audio_tokens: Count,
    image_tokens: Count,
    /// Of what was read from the cache: counted with it, so that no token is paid for twice.
    cached_tokens_details: Option<Cached>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cached {
    audio_tokens: Count,
    image_tokens: Count,
}

impl From<OpenAiUsage> for Usage {
    fn from(fields: OpenAiUsage) -> Self {
        let input = fields.input_tokens_details.unwrap_or_default();
        let output = fields.output_tokens_details.unwrap_or_default();
        let cached = input.cached_tokens_details.unwrap_or_default();
        let mut usage = Self::new(fields.input_tokens.0, fields.output_tokens.0);
        usage.cache_read_tokens = input.cached_tokens.0;
        usage.input_audio_tokens = input.audio_tokens.0.saturating_sub(cached.audio_tokens.0);
        usage.input_image_tokens = input.image_tokens.0.saturating_sub(cached.image_tokens.0);
        usage.reasoning_tokens = output.reasoning_tokens.0;
        usage.output_audio_tokens = output.audio_tokens.0;
        usage.output_image_tokens = output.image_tokens.0;
        usage
    }
}

/// `usage` of a transcription that is paid by its length: `{"type":"duration","seconds":7}`.
#[derive(Deserialize)]
struct Duration {
    seconds: f64,
}

impl From<Duration> for Usage {
    fn from(duration: Duration) -> Self {
        let mut usage = Self::default();
        // Saturates, and is zero for a negative number.
        usage.audio_ms = (duration.seconds * 1_000.0) as u64;
        usage
    }
}

/// Cohere's `usage` and `meta` (<https://docs.cohere.com/reference/chat>).
#[derive(Default, Deserialize)]
#[serde(default)]
struct CohereUsage {
    billed_units: CohereUnits,
    tokens: Option<CohereUnits>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CohereUnits {
    input_tokens: Count,
    output_tokens: Count,
    search_units: Count,
}

impl From<CohereUsage> for Usage {
    fn from(fields: CohereUsage) -> Self {
        let tokens = fields.tokens.as_ref().unwrap_or(&fields.billed_units);
        let mut usage = Self::new(tokens.input_tokens.0, tokens.output_tokens.0);
        usage.searches = fields.billed_units.search_units.0;
        usage
    }
}
