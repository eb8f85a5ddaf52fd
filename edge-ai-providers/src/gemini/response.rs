use bytes::Bytes;
use edge_ai_core::{
    ChatAccumulator, ChatEvent, ChatResponse, ChatStart, ContentPart, Error, ErrorKind, Extra, FinishReason,
    RawJson, Result, TextPart, Verbatim,
};
use serde_json::value::RawValue;

use super::finish::{blocked, finish_reason};
use super::parts::PartReader;
use super::usage::UsageMetadata;
use super::{GENERATE, error};
use crate::citation::citations;
use crate::wire::{Fields, Path, elements};

/// Reads the answer to `:generateContent`.
///
/// What only Gemini knows, such as `groundingMetadata`, `citationMetadata` and `safetyRatings`, is kept as unknown fields, and parts of kinds of
/// its own become [`ContentPart::Other`](edge_ai_core::ContentPart::Other). Thoughts count to the output of the usage.
///
/// # Errors
/// [`ErrorKind::ContentFiltered`] for a prompt that was blocked, [`ErrorKind::BadUpstream`] for what is no answer, and the
/// vendor's error when it is one.
pub fn decode_generate_response(body: Bytes) -> Result<ChatResponse> {
    let text = std::str::from_utf8(&body)
        .map_err(|error| Error::new(ErrorKind::BadUpstream, "the answer is not UTF-8").with_source(error))?;
    let mut reader = AnswerReader::default();
    let mut accumulator = ChatAccumulator::default();
    for event in reader.read(text)? {
        accumulator.push(event);
    }
    if !reader.is_finished() {
        return Err(Error::new(
            ErrorKind::BadUpstream,
            "the answer does not say why it ends: `candidates[0].finishReason` is missing",
        ));
    }
    Ok(Verbatim::new(accumulator.finish()).with_native(GENERATE, body))
}

/// Reads an answer, whole or chunk by chunk: a chunk of a stream has the same form, with what is new.
#[derive(Debug, Default)]
pub(super) struct AnswerReader {
    id: Option<String>,
    parts: PartReader,
    finish: Option<FinishReason>,
}

impl AnswerReader {
    /// Whether the reason to stop has come.
    pub(super) const fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The events of the next chunk.
    pub(super) fn read(&mut self, text: &str) -> Result<Vec<ChatEvent>> {
        self.chunk(text).map_err(not_an_answer)
    }

    fn chunk(&mut self, text: &str) -> Result<Vec<ChatEvent>> {
        let mut chunk = Fields::parse(text, Path::ROOT)?;
        if chunk.peek::<&RawValue>("error").is_some() {
            return Err(error::from_event(text));
        }
        if let Some(text) = chunk.take_raw("promptFeedback") {
            check_prompt(Fields::parse(text, Path::ROOT.field("promptFeedback"))?)?;
        }
        let mut events = Vec::new();
        let id: Option<String> = chunk.take("responseId")?;
        let model: Option<String> = chunk.take("modelVersion")?;
        if self.id.is_none() {
            let id = id.unwrap_or_default();
            events.push(ChatEvent::Start(ChatStart::new(
                id.as_str(),
                model.unwrap_or_default(),
            )));
            self.id = Some(id);
        }
        let list = Path::ROOT.field("candidates");
        let candidates = chunk.take_raw("candidates").unwrap_or("[]");
        if let Some(candidate) = elements(candidates, &list)?.first() {
            self.candidate(Fields::parse(candidate, list.index(0))?, &mut events)?;
        }
        let usage: Option<UsageMetadata> = chunk.take("usageMetadata")?;
        events.extend(usage.map(|usage| ChatEvent::Usage(usage.usage())));
        push_extra(&mut events, chunk.rest(&GENERATE));
        Ok(events)
    }

    fn candidate(&mut self, mut candidate: Fields<'_>, events: &mut Vec<ChatEvent>) -> Result<()> {
        let path = *candidate.path();
        if let Some(content) = candidate.take_raw("content") {
            let path = path.field("content");
            let mut content = Fields::parse(content, path)?;
            let path = path.field("parts");
            let answer = self.id.as_deref().unwrap_or_default();
            for (index, part) in elements(content.take_raw("parts").unwrap_or("[]"), &path)?
                .into_iter()
                .enumerate()
            {
                events.extend(self.parts.read(part, path.index(index), answer)?);
            }
        }
        let _ = candidate.take_raw("index");
        let message: Option<String> = candidate.take("finishMessage")?;
        if let Some(reason) = candidate.take::<String>("finishReason")?
            && reason != "FINISH_REASON_UNSPECIFIED"
            && self.finish.is_none()
        {
            let reason = finish_reason(&reason, message.as_deref(), self.parts.has_calls())?;
            self.finish = Some(reason.clone());
            events.extend(sources(&candidate));
            events.push(ChatEvent::Finish(reason));
        }
        push_extra(events, candidate.rest(&GENERATE));
        Ok(())
    }
}

fn check_prompt(mut feedback: Fields<'_>) -> Result<()> {
    let message: Option<String> = feedback.take("blockReasonMessage")?;
    match feedback.take::<String>("blockReason")?.as_deref() {
        None | Some("BLOCK_REASON_UNSPECIFIED") => Ok(()),
        Some(reason) => Err(blocked(reason, message.as_deref())),
    }
}

/// The pages that a grounded answer comes from, beside its text.
fn sources(candidate: &Fields<'_>) -> Option<ChatEvent> {
    const NAME: &str = "groundingMetadata";
    let metadata = RawJson::parse(candidate.peek_raw(NAME)?).ok()?;
    let extra = Extra::new(GENERATE, vec![(NAME.to_owned(), metadata)]);
    let cites = !citations(&extra).is_empty();
    cites.then(|| ChatEvent::Part(ContentPart::Text(TextPart::new("", extra))))
}

fn push_extra(events: &mut Vec<ChatEvent>, extra: Extra) {
    if !extra.is_empty() {
        events.push(ChatEvent::Extra(extra));
    }
}

/// The error of an answer that does not read as one.
fn not_an_answer(error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidRequest || error.native().is_some() || error.code().is_some() {
        return error;
    }
    Error::new(
        ErrorKind::BadUpstream,
        format!("the answer is not one of Gemini's: {error}"),
    )
    .with_source(error)
}
