//! From bytes of some format to text.

#[cfg(feature = "worker")]
mod ai_markdown;
#[cfg(feature = "csv")]
mod csv;
mod decode;
mod formats;
#[cfg(feature = "html")]
mod html;
mod json;
mod limits;
#[cfg(feature = "markdown")]
mod markdown;
#[cfg(feature = "pdf")]
mod pdf;
mod text;

use std::fmt;
use std::sync::Arc;

use edge_ai_core::{Result, async_trait};

#[cfg(feature = "csv")]
pub use self::csv::CsvParser;
#[cfg(feature = "worker")]
pub use ai_markdown::AiMarkdownParser;
pub use formats::Formats;
#[cfg(feature = "html")]
pub use html::HtmlParser;
pub use json::JsonParser;
pub use limits::Limits;
#[cfg(feature = "markdown")]
pub use markdown::MarkdownParser;
#[cfg(feature = "pdf")]
pub use pdf::PdfParser;
pub use text::TextParser;

use crate::{Document, ParsedDocument};

/// Takes the text out of documents of one format or several.
#[async_trait]
pub trait Parser: fmt::Debug + Send + Sync + 'static {
    /// The text of a document.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a body that is not what its type says;
    /// [`ErrorKind::Unsupported`](edge_ai_core::ErrorKind::Unsupported) for a type that the parser does not read, and for what it cannot read of one
    /// that it does, such as an encrypted PDF; [`ErrorKind::TooLarge`](edge_ai_core::ErrorKind::TooLarge) past its bounds. Each names the remedy.
    async fn parse(&self, document: &Document) -> Result<ParsedDocument>;

    /// Names the parser and everything that its text depends on, such as `markdown/1`: a document is parsed anew when this changes.
    fn fingerprint(&self) -> String;
}

#[async_trait]
impl<T: Parser + ?Sized> Parser for Arc<T> {
    async fn parse(&self, document: &Document) -> Result<ParsedDocument> {
        (**self).parse(document).await
    }

    fn fingerprint(&self) -> String {
        (**self).fingerprint()
    }
}
