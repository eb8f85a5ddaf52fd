use std::borrow::Cow;

use edge_ai_core::Entropy;

/// The lines around what others wrote, in a prompt: named anew for each request, so that a text that was written before cannot contain them.
#[derive(Clone, Debug)]
pub(crate) struct Boundary(String);

impl Boundary {
    /// A name of 128 random bits.
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        Self(format!(
            "=== {:016x}{:016x} ===",
            entropy.next_u64(),
            entropy.next_u64()
        ))
    }

    /// The line.
    pub(crate) fn line(&self) -> &str {
        &self.0
    }

    /// Writes a text between two lines.
    pub(crate) fn write(&self, out: &mut String, text: &str) {
        for part in [
            self.line(),
            "\n",
            &self.without_line(text),
            "\n",
            self.line(),
            "\n",
        ] {
            out.push_str(part);
        }
    }

    /// A text without the line, in case that somebody guessed it.
    fn without_line<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.contains(self.line()) {
            Cow::Owned(text.replace(self.line(), ""))
        } else {
            Cow::Borrowed(text)
        }
    }
}
