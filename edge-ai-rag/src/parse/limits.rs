use edge_ai_core::{Error, ErrorKind, Result};

/// What a parser takes at most, so that one document cannot use up an isolate's memory or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a document's body: 10 MiB unless said otherwise. An isolate has 128 MiB, and a parsed document takes several times its bytes.
    pub max_bytes: usize,
    /// Bytes of the text that comes out, which may be more than came in: 16 MiB.
    pub max_text_bytes: usize,
    /// How deeply lists, tables, arrays and objects may lie in each other: 128.
    pub max_depth: usize,
    /// Pages of a PDF: 1,000.
    pub max_pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 10 << 20,
            max_text_bytes: 16 << 20,
            max_depth: 128,
            max_pages: 1_000,
        }
    }
}

impl Limits {
    /// Takes bodies of up to so many bytes, and half as much again of text.
    #[must_use]
    pub const fn bytes(mut self, most: usize) -> Self {
        self.max_bytes = most;
        self.max_text_bytes = most.saturating_add(most / 2);
        self
    }

    /// Takes PDFs of up to so many pages.
    #[must_use]
    pub const fn pages(mut self, most: usize) -> Self {
        self.max_pages = most;
        self
    }

    pub(super) fn check_body(&self, bytes: usize) -> Result<()> {
        if bytes <= self.max_bytes {
            return Ok(());
        }
        let message = format!(
            "the document has {bytes} bytes; at most {} are taken: cut it into several, or raise `Limits::max_bytes`",
            self.max_bytes
        );
        Err(Error::new(ErrorKind::TooLarge, message).with_param("body"))
    }

    pub(super) fn check_text(&self, bytes: usize) -> Result<()> {
        if bytes <= self.max_text_bytes {
            return Ok(());
        }
        let message = format!(
            "the document's text has more than {} bytes: cut the document into several, or raise `Limits::max_text_bytes`",
            self.max_text_bytes
        );
        Err(Error::new(ErrorKind::TooLarge, message).with_param("body"))
    }
}
