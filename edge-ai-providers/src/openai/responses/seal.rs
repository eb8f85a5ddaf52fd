//! Thoughts that cross dialects.
//!
//! OpenAI gives a thought an id and its content in an encryption of its own, and wants both back. In the vocabulary they are one signature.
//! A client of this dialect, the other way round, has a place for encrypted content alone, and gets other vendors' signatures there.

use edge_ai_core::ReasoningPart;

/// A signature that is OpenAI's id and encrypted content. Neither has a colon.
const OPENAI: &str = "openai.responses:";

/// Encrypted content that is another vendor's signature, or its redacted thought. OpenAI's own has no colon.
const SIGNATURE: &str = "signature:";
const REDACTED: &str = "redacted:";

/// Whether a signature is OpenAI's, and so no other vendor's to read.
pub(crate) fn is_sealed(signature: &str) -> bool {
    signature.starts_with(OPENAI)
}

/// The signature of a thought of OpenAI's.
pub(super) fn seal(id: &str, encrypted: &str) -> String {
    format!("{OPENAI}{id}:{encrypted}")
}

/// The id and the encrypted content of a thought of OpenAI's.
pub(super) fn open(part: &ReasoningPart) -> Option<(&str, &str)> {
    part.signature.as_deref()?.strip_prefix(OPENAI)?.split_once(':')
}

/// The id that OpenAI gave a thought.
pub(super) fn id(signature: Option<&str>) -> Option<&str> {
    let (id, _) = signature?.strip_prefix(OPENAI)?.split_once(':')?;
    Some(id).filter(|id| !id.is_empty())
}

/// What a client of this dialect keeps as the encrypted content of a thought that it knows as `id`. OpenAI refuses its own under another id
/// than it gave, so that one goes along then.
pub(super) fn shown(part: &ReasoningPart, id: &str) -> Option<String> {
    match (open(part), &part.redacted, &part.signature) {
        (Some((own, encrypted)), ..) if own == id => Some(encrypted.to_owned()),
        (_, Some(data), _) => Some(format!("{REDACTED}{data}")),
        (_, None, Some(signature)) => Some(format!("{SIGNATURE}{signature}")),
        (_, None, None) => None,
    }
}

/// The thought of which a client kept this.
pub(super) fn kept(text: String, id: &str, encrypted: Option<&str>) -> ReasoningPart {
    let Some(encrypted) = encrypted else {
        return ReasoningPart::new(text, None);
    };
    if let Some(data) = encrypted.strip_prefix(REDACTED) {
        return ReasoningPart::redacted(data);
    }
    let signature = match encrypted.strip_prefix(SIGNATURE) {
        Some(signature) => signature.to_owned(),
        None => seal(id, encrypted),
    };
    ReasoningPart::new(text, Some(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_come_back_as_they_were() {
        for part in [
            ReasoningPart::new("hm", None),
            ReasoningPart::new("hm", Some("EqoB".into())),
            ReasoningPart::redacted("Emwc"),
            ReasoningPart::new("", Some(seal("rs_1", "gAAA"))),
            ReasoningPart::new("hm", Some(seal("", "gAAA"))),
        ] {
            for id in ["rs_1", "rs_2", ""] {
                let encrypted = shown(&part, id);
                let back = kept(part.text.clone(), id, encrypted.as_deref());
                assert_eq!(back, part);
            }
        }
    }

    #[test]
    fn openais_own_is_as_openai_wrote_it() {
        let part = kept(String::new(), "rs_1", Some("gAAAAB"));
        assert_eq!(open(&part), Some(("rs_1", "gAAAAB")));
        assert_eq!(id(part.signature.as_deref()), Some("rs_1"));
        assert_eq!(shown(&part, "rs_1").as_deref(), Some("gAAAAB"));
        assert!(part.signature.as_deref().is_some_and(is_sealed));
    }
}
