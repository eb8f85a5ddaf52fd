use edge_ai_core::{Error, ErrorKind, Result};
use js_sys::Promise;
use js_sys::futures::JsFuture;
use serde_json::Value;
use worker::send::SendFuture;

use super::{AiBinding, error};
use crate::bridge;
use crate::error::Thrown;

/// A document that Workers AI turned into Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AiMarkdown {
    /// The text: Markdown, or plain text where the service says so.
    pub text: String,
    /// How many tokens the service counts in it.
    pub tokens: Option<u64>,
}

/// A format that Workers AI turns into Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AiMarkdownFormat {
    /// Its media type.
    pub media_type: String,
    /// The end of its files' names, such as `.docx`.
    pub extension: String,
}

impl AiBinding {
    /// Turns a document into Markdown: office formats, PDFs, pictures and more ([Markdown
    /// Conversion](https://developers.cloudflare.com/workers-ai/features/markdown-conversion/)).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] with the service's words for a document that it does not convert; its errors otherwise.
    pub async fn to_markdown(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<AiMarkdown> {
        let converted = called(bridge::ai_to_markdown(&self.0, name, media_type, bytes)).await?;
        read(&converted)
    }

    /// The formats that [`to_markdown`](Self::to_markdown) takes.
    ///
    /// # Errors
    /// The service's errors.
    pub async fn markdown_formats(&self) -> Result<Vec<AiMarkdownFormat>> {
        let supported = called(bridge::ai_markdown_supported(&self.0)).await?;
        let text = |format: &Value, field: &str| Some(format.get(field)?.as_str()?.to_owned());
        let formats = supported
            .as_array()
            .ok_or_else(strange)?
            .iter()
            .filter_map(|format| {
                Some(AiMarkdownFormat {
                    media_type: text(format, "mimeType")?,
                    extension: text(format, "extension")?,
                })
            });
        Ok(formats.collect())
    }
}

async fn called(promise: Promise) -> Result<Value> {
    let answer = SendFuture::new(JsFuture::from(promise))
        .await
        .map_err(|thrown| error::thrown(Thrown::of(&thrown)))?;
    let json = bridge::bytes(answer).ok_or_else(strange)?;
    serde_json::from_slice(&json).map_err(|_| strange())
}

/// One file was given, so one comes back: in a list, or, from later versions, by itself.
fn read(converted: &Value) -> Result<AiMarkdown> {
    let converted = converted.get(0).unwrap_or(converted);
    let text = |field: &str| converted.get(field).and_then(Value::as_str);
    if text("format") == Some("error") {
        let message = format!(
            "Workers AI does not convert the document: {}",
            text("error").unwrap_or("no reason given")
        );
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("body"));
    }
    // The tokens are a number with a fraction in some answers.
    let tokens = converted.get("tokens").and_then(Value::as_f64);
    Ok(AiMarkdown {
        text: text("data").ok_or_else(strange)?.to_owned(),
        tokens: tokens.map(|tokens| tokens.max(0.0) as u64),
    })
}

fn strange() -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        "Workers AI's conversion to Markdown answered something else",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_in_a_list_and_by_itself() {
        let one = json!({ "name": "a", "format": "markdown", "tokens": 3.0, "data": "# A" });
        for answer in [json!([one]), one.clone()] {
            let read = read(&answer).unwrap();
            assert_eq!((read.text.as_str(), read.tokens), ("# A", Some(3)));
        }
    }

    #[test]
    fn a_file_that_is_not_converted_says_why() {
        let error = read(&json!([{ "format": "error", "error": "no such thing" }])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("no such thing"));
        assert_eq!(read(&json!([])).unwrap_err().kind(), ErrorKind::BadUpstream);
    }
}
