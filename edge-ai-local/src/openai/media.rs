//! `POST /v1/images/*`, `POST /v1/audio/*`, `POST /v1/moderations`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::check;
use super::error::Error;
use crate::call::Call;
use crate::generate::tokens;
use crate::reply::{Frame, Payload, Reply};

/// A picture of one transparent point.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Samples of speech for a character.
const SAMPLES: usize = 240;

/// Samples a second.
const RATE: u32 = 24_000;

pub(super) fn images(call: &Call<'_>, body: &Map<String, Value>) -> Result<Reply, Error> {
    let prompt = text(body, "prompt")?;
    let count = body.get("n").and_then(Value::as_u64).unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(Error::invalid("Invalid 'n': expected a value between 1 and 10.").param("n"));
    }
    let model = body.get("model").and_then(Value::as_str).unwrap_or("dall-e-2");
    let data: Vec<Value> = (0..count).map(|_| json!({ "b64_json": PNG })).collect();
    let mut answer = Map::new();
    answer.insert("created".into(), (call.app.clock.unix_ms() / 1_000).into());
    answer.insert("data".into(), data.into());
    // Models of the first generations are paid by the picture, and tell no tokens.
    if !model.starts_with("dall-e") {
        answer.insert("usage".into(), picture_usage(prompt, count));
    }
    if body.get("stream") == Some(&Value::Bool(true)) {
        let partial =
            json!({ "type": "image_generation.partial_image", "b64_json": PNG, "partial_image_index": 0 });
        let done = json!({ "type": "image_generation.completed", "b64_json": PNG, "usage": picture_usage(prompt, 1) });
        return Ok(Reply::frames(vec![
            Frame::event("image_generation.partial_image", partial),
            Frame::event("image_generation.completed", done),
        ]));
    }
    Ok(Reply::json(&answer))
}

fn picture_usage(prompt: &str, count: u64) -> Value {
    let (input, output) = (tokens::count(prompt) as u64, 272 * count);
    json!({
        "input_tokens": input,
        "input_tokens_details": { "text_tokens": input, "image_tokens": 0 },
        "output_tokens": output,
        "total_tokens": input + output,
    })
}

/// `POST /v1/images/edits` and `/variations`, by a form.
pub(super) fn changed_images(call: &Call<'_>) -> Result<Reply, Error> {
    let form = form(call)?;
    if !form.iter().any(|(name, _)| matches!(*name, "image" | "image[]")) {
        return Err(Error::invalid("Missing required parameter: 'image'.").param("image"));
    }
    let mut body = Map::new();
    body.insert(
        "prompt".into(),
        field(&form, "prompt").unwrap_or("a variation").into(),
    );
    body.insert("model".into(), field(&form, "model").unwrap_or("dall-e-2").into());
    images(call, &body)
}

pub(super) fn speech(body: &Map<String, Value>) -> Result<Reply, Error> {
    check::model(body)?;
    text(body, "voice")?;
    let input = text(body, "input")?;
    let sound = wav(input);
    if body.get("stream_format").and_then(Value::as_str) == Some("sse") {
        let count = tokens::count(input);
        let done = json!({
            "type": "speech.audio.done",
            "usage": { "input_tokens": count, "output_tokens": count * 10, "total_tokens": count * 11 },
        });
        return Ok(Reply::frames(vec![
            Frame::data(json!({ "type": "speech.audio.delta", "audio": STANDARD.encode(&sound) })),
            Frame::data(done),
        ]));
    }
    Ok(Reply {
        status: 200,
        headers: Vec::new(),
        payload: Payload::Whole {
            content_type: "audio/wav",
            bytes: Bytes::from(sound),
        },
    })
}

/// A tone for each character, as a WAV file.
fn wav(text: &str) -> Vec<u8> {
    let samples: Vec<u8> = text
        .chars()
        .flat_map(|character| {
            let level = (u32::from(character) % 128) as i16 * 128;
            (0..SAMPLES).map(move |at| if at % 48 < 24 { level } else { -level })
        })
        .flat_map(i16::to_le_bytes)
        .collect();
    let length = samples.len() as u32;
    let mut file = Vec::with_capacity(samples.len() + 44);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    for half in [1_u16, 1] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(RATE * 2).to_le_bytes());
    for half in [2_u16, 16] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&samples);
    file
}

/// `POST /v1/audio/transcriptions` and `/translations`: what is said is how long it takes.
pub(super) fn transcription(call: &Call<'_>) -> Result<Reply, Error> {
    let form = form(call)?;
    let file = form
        .iter()
        .find(|(name, _)| *name == "file")
        .map(|(_, value)| *value);
    let file = file.ok_or_else(|| Error::invalid("Missing required parameter: 'file'.").param("file"))?;
    let model = field(&form, "model")
        .ok_or_else(|| Error::invalid("you must provide a model parameter").param("model"))?;
    let seconds = seconds(file)
        .ok_or_else(|| Error::invalid("Invalid file format. Supported formats: ['wav']").param("file"))?;
    let said = format!("A sound of {seconds:.1} seconds.");
    let usage = if model.starts_with("whisper") {
        json!({ "type": "duration", "seconds": seconds.ceil() })
    } else {
        let (audio, output) = ((seconds * 10.0).ceil() as u64, tokens::count(&said));
        json!({
            "type": "tokens",
            "input_tokens": audio,
            "input_token_details": { "text_tokens": 0, "audio_tokens": audio },
            "output_tokens": output,
            "total_tokens": audio + output as u64,
        })
    };
    if field(&form, "stream") == Some("true") {
        let mut frames: Vec<Frame> = said
            .split_inclusive(' ')
            .map(|word| Frame::data(json!({ "type": "transcript.text.delta", "delta": word })))
            .collect();
        frames.push(Frame::data(
            json!({ "type": "transcript.text.done", "text": said, "usage": usage }),
        ));
        return Ok(Reply::frames(frames));
    }
    match field(&form, "response_format") {
        Some("text") => Ok(Reply::text(format!("{said}\n"))),
        _ => Ok(Reply::json(&json!({ "text": said, "usage": usage }))),
    }
}

/// How long a WAV file plays.
fn seconds(file: &[u8]) -> Option<f64> {
    let number = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
    (file.get(..4)? == b"RIFF" && file.get(8..12)? == b"WAVE").then_some(())?;
    let rate = number(28).filter(|rate| *rate > 0)?;
    Some(file.len().saturating_sub(44) as f64 / f64::from(rate))
}

pub(super) fn moderation(call: &Call<'_>, body: &Map<String, Value>) -> Result<Reply, Error> {
    let inputs: Vec<&str> = match body.get("input") {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts
            .iter()
            .filter_map(|text| text.as_str().or_else(|| text.get("text")?.as_str()))
            .collect(),
        _ => return Err(Error::invalid("Missing required parameter: 'input'.").param("input")),
    };
    let results: Vec<Value> = inputs
        .iter()
        .map(|text| {
            let violent = text.to_lowercase().contains("kill");
            json!({
                "flagged": violent,
                "categories": { "violence": violent, "hate": false },
                "category_scores": { "violence": if violent { 0.98 } else { 0.01 }, "hate": 0.01 },
            })
        })
        .collect();
    let model = body
        .get("model")
        .and_then(Value::as_str)
        .unwrap_or("omni-moderation-latest");
    Ok(Reply::json(
        &json!({ "id": format!("modr-{}", call.number), "model": model, "results": results }),
    ))
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Error> {
    body.get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Error::invalid(&format!("Missing required parameter: '{name}'.")).param(name))
}

fn field<'a>(form: &[(&str, &'a [u8])], name: &str) -> Option<&'a str> {
    let (_, value) = form.iter().find(|(field, _)| *field == name)?;
    std::str::from_utf8(value).ok()
}

/// The fields of a form.
fn form<'a>(call: &'a Call<'_>) -> Result<Vec<(&'a str, &'a [u8])>, Error> {
    let wrong = || Error::invalid("Could not parse multipart form");
    let boundary = call
        .header("content-type")
        .and_then(|kind| kind.split_once("boundary="));
    let boundary = boundary.ok_or_else(wrong)?.1.trim_matches('"');
    let delimiter = format!("\r\n--{boundary}");
    let body: &[u8] = call.body;
    let mut rest = body
        .strip_prefix(delimiter.trim_start().as_bytes())
        .ok_or_else(wrong)?;
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let head = find(rest, b"\r\n\r\n").ok_or_else(wrong)?;
        let end = find(rest, delimiter.as_bytes()).ok_or_else(wrong)?;
        let (headers, value) = (rest.get(..head), rest.get(head + 4..end));
        let headers = std::str::from_utf8(headers.unwrap_or_default()).map_err(|_| wrong())?;
        let name = headers
            .split_once(" name=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        fields.push((name.ok_or_else(wrong)?.0, value.ok_or_else(wrong)?));
        rest = rest.get(end + delimiter.len()..).unwrap_or_default();
    }
    Ok(fields)
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|at| at == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_plays_as_long_as_its_text() {
        assert!((seconds(&wav("hello world, and a hundred times more")).unwrap() - 0.37).abs() < 0.001);
        assert_eq!(seconds(b"RIFF"), None);
    }
}
