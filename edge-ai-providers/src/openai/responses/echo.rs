use bytes::Bytes;

use crate::wire::Fields;

/// What an answer repeats of its request: a response of this API shows how it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Echo {
    /// The fields, as JSON without the braces around them.
    fields: Bytes,
}

/// The fields, with the values that they have unsaid. `store` is not the client's to say here: nothing is kept.
const FIELDS: [(&str, &str); 20] = [
    ("background", "false"),
    ("frequency_penalty", "0"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("presence_penalty", "0"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("service_tier", r#""default""#),
    ("temperature", "1"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1"),
    ("truncation", r#""disabled""#),
];

impl Echo {
    /// The echo of a request.
    pub(super) fn of(fields: &Fields<'_>) -> Self {
        let mut out = Vec::with_capacity(512);
        for (name, unsaid) in FIELDS {
            let value = fields.peek_raw(name).unwrap_or(unsaid);
            for piece in ["\"", name, "\":", value, ","] {
                out.extend_from_slice(piece.as_bytes());
            }
        }
        out.extend_from_slice(br#""store":false"#);
        Self { fields: out.into() }
    }

    /// The fields, to be written between braces.
    pub(super) fn as_str(&self) -> &str {
        if self.fields.is_empty() {
            r#""store":false"#
        } else {
            std::str::from_utf8(&self.fields).unwrap_or_default()
        }
    }
}
