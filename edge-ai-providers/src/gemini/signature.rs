//! Gemini's signatures on their way through clients that know nothing of Gemini.

use edge_ai_core::{Extra, RawJson};

use crate::openai::CHAT;
use crate::wire::{Fields, Path, write_object};

/// What tells Gemini's signatures from other vendors', which are plain base64.
const MARK: &str = "gemini:";

/// Where clients of OpenAI's dialect have the signature of a call.
const FIELD: &str = "extra_content";

/// What stands for the signature of a call that Gemini did not make, such as another vendor's after a fallback
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures>, the questions at its end).
pub(super) const UNKNOWN: &str = "skip_thought_signature_validator";

/// The signature as the clients' dialects carry it.
pub(super) fn mark(signature: &str) -> String {
    format!("{MARK}{signature}")
}

/// Gemini's signature in what a client sent back; `None` for another vendor's.
pub(super) fn unmark(signature: &str) -> Option<&str> {
    signature.strip_prefix(MARK).filter(|own| !own.is_empty())
}

/// Whether a thought's signature is Gemini's, with which other vendors can do nothing.
pub(crate) fn is_geminis(signature: &str) -> bool {
    signature.starts_with(MARK)
}

/// The signature beside a call, in the form of Google's compatible endpoint.
pub(super) fn beside_call(signature: &str) -> Extra {
    let content = write_object(|object| {
        object.object("google", |google| {
            google.field("thought_signature", signature);
            Ok(())
        })
    });
    let content = content
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| RawJson::parse(text).ok());
    content.map_or_else(Extra::default, |content| {
        Extra::new(CHAT, vec![(FIELD.to_owned(), content)])
    })
}

/// The signature that came back beside a call.
pub(super) fn of_call(extra: &Extra) -> Option<String> {
    let content = extra.get(&CHAT, FIELD)?;
    let mut content = Fields::parse(content.get(), Path::ROOT).ok()?;
    let mut google = Fields::parse(content.take_raw("google")?, Path::ROOT).ok()?;
    let signature: String = google.take("thought_signature").ok().flatten()?;
    Some(signature).filter(|signature| !signature.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_come_back_as_they_went() {
        assert_eq!(unmark(&mark("EqQ+/=")), Some("EqQ+/="));
        assert_eq!((unmark("EqQ+/="), unmark("gemini:")), (None, None));
        assert!(is_geminis(&mark("a")) && !is_geminis("a"));
        assert_eq!(of_call(&beside_call("a\"b")).as_deref(), Some("a\"b"));
        assert_eq!(of_call(&Extra::default()), None);
    }
}
