use serde::{Deserialize, Serialize};

use super::{ToolCall, ToolResult};
use crate::Extra;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<ContentPart>,
    /// The speaker's name, where several share a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Unknown fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Message {
    /// A message of parts.
    pub fn new(role: Role, content: Vec<ContentPart>) -> Self {
        Self {
            role,
            content,
            name: None,
            extra: Extra::default(),
        }
    }

    /// A message of one text.
    pub fn from_text(role: Role, text: impl Into<String>) -> Self {
        Self::new(role, vec![ContentPart::text(text)])
    }

    /// All of its text, without the other parts.
    pub fn text(&self) -> String {
        text_of(&self.content)
    }

    /// The tools it calls.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        tool_calls_of(&self.content)
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The application, with instructions that rank above the user's.
    System,
    /// The same, by OpenAI's newer name.
    Developer,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// A tool, with its results.
    Tool,
}

impl Role {
    /// The name in every dialect that has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }

    /// Whether it gives instructions: a system or developer message.
    pub const fn is_instruction(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentPart {
    /// Text.
    Text(TextPart),
    /// A picture.
    Image(ImagePart),
    /// Sound.
    Audio(AudioPart),
    /// A document.
    File(FilePart),
    /// What the model thought; it goes back to the vendor unchanged.
    Reasoning(ReasoningPart),
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// A tool's result.
    ToolResult(ToolResult),
    /// The model declines, in its own words.
    Refusal(String),
    /// A part of a kind that only its own dialect knows.
    Other(Extra),
}

impl ContentPart {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextPart {
            text: text.into(),
            extra: Extra::default(),
        })
    }

    /// A picture at an address.
    pub fn image_url(url: impl Into<String>) -> Self {
        Self::Image(ImagePart {
            source: Media::Url(url.into()),
            detail: None,
            extra: Extra::default(),
        })
    }

    /// The text, of a text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(part) => Some(&part.text),
            _ => None,
        }
    }
}

/// The text of all text parts.
pub(super) fn text_of(parts: &[ContentPart]) -> String {
    parts.iter().filter_map(ContentPart::as_text).collect()
}

/// The tool calls among the parts.
pub(super) fn tool_calls_of(parts: &[ContentPart]) -> impl Iterator<Item = &ToolCall> {
    parts.iter().filter_map(|part| match part {
        ContentPart::ToolCall(call) => Some(call),
        _ => None,
    })
}

/// Text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TextPart {
    /// The text.
    pub text: String,
    /// Unknown fields, such as cache marks and citations.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl TextPart {
    /// Text with unknown fields beside it.
    pub fn new(text: impl Into<String>, extra: Extra) -> Self {
        Self {
            text: text.into(),
            extra,
        }
    }
}

/// Where the bytes of a picture, sound or document are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Media {
    /// At an address that the vendor fetches.
    Url(String),
    /// Here, in base64.
    Base64 {
        /// The media type, such as `image/png`.
        media_type: String,
        /// The bytes in standard base64.
        data: String,
    },
    /// With the vendor, under an identifier.
    FileId(String),
}

impl Media {
    /// Reads an address; a `data:` one gives its bytes.
    pub fn from_url(url: impl Into<String>) -> Self {
        let url = url.into();
        let inline = url
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"));
        match inline {
            Some((media_type, data)) => Self::Base64 {
                media_type: media_type.to_owned(),
                data: data.to_owned(),
            },
            None => Self::Url(url),
        }
    }

    /// As an address; bytes become a `data:` one. `None` for a vendor's identifier.
    pub fn to_url(&self) -> Option<String> {
        match self {
            Self::Url(url) => Some(url.clone()),
            Self::Base64 { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
            Self::FileId(_) => None,
        }
    }
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImagePart {
    /// Its bytes.
    pub source: Media,
    /// How closely to look: `low`, `high` or `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Unknown fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ImagePart {
    /// A picture.
    pub const fn new(source: Media, detail: Option<String>, extra: Extra) -> Self {
        Self {
            source,
            detail,
            extra,
        }
    }
}

/// Sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AudioPart {
    /// The bytes in standard base64.
    pub data: String,
    /// The format, such as `wav` or `mp3`.
    pub format: String,
    /// Unknown fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl AudioPart {
    /// Sound in a format.
    pub const fn new(data: String, format: String, extra: Extra) -> Self {
        Self { data, format, extra }
    }
}

/// A document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FilePart {
    /// Its bytes.
    pub source: Media,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Unknown fields.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl FilePart {
    /// A document.
    pub const fn new(source: Media, filename: Option<String>, extra: Extra) -> Self {
        Self {
            source,
            filename,
            extra,
        }
    }
}

/// What the model thought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReasoningPart {
    /// The thought, or its summary; empty when it is redacted.
    pub text: String,
    /// The vendor's proof that the thought is its own; the next turn is refused without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The thought in the vendor's own encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<String>,
    /// Unknown fields.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl ReasoningPart {
    /// A thought.
    pub fn new(text: impl Into<String>, signature: Option<String>) -> Self {
        Self {
            text: text.into(),
            signature,
            ..Self::default()
        }
    }

    /// A thought that only the vendor can read.
    pub fn redacted(data: impl Into<String>) -> Self {
        Self {
            redacted: Some(data.into()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_addresses_are_bytes_and_back() {
        let url = "data:image/png;base64,aGk=";
        let media = Media::from_url(url);
        assert_eq!(
            media,
            Media::Base64 {
                media_type: "image/png".into(),
                data: "aGk=".into()
            }
        );
        assert_eq!(media.to_url().as_deref(), Some(url));
        assert_eq!(
            Media::from_url("https://example.com/a.png"),
            Media::Url("https://example.com/a.png".into())
        );
    }
}
