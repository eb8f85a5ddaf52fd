use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A media type such as `text/markdown`, with the character set when one was named ([RFC 9110, section
/// 8.3.1](https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1)); other parameters are left out.
///
/// ```
/// use edge_ai_rag::MediaType;
///
/// let given = MediaType::parse("Text/HTML; charset=\"UTF-8\"");
/// assert_eq!(given.essence(), "text/html");
/// assert_eq!(given.charset(), Some("utf-8"));
/// assert_eq!(MediaType::of_name("notes/today.md"), Some(MediaType::MARKDOWN));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct MediaType {
    essence: Cow<'static, str>,
    charset: Option<String>,
}

impl MediaType {
    /// `text/plain`.
    pub const PLAIN: Self = Self::known("text/plain");
    /// `text/markdown`.
    pub const MARKDOWN: Self = Self::known("text/markdown");
    /// `text/html`.
    pub const HTML: Self = Self::known("text/html");
    /// `text/csv`.
    pub const CSV: Self = Self::known("text/csv");
    /// `application/json`.
    pub const JSON: Self = Self::known("application/json");
    /// `application/x-ndjson`: a JSON value on each line.
    pub const NDJSON: Self = Self::known("application/x-ndjson");
    /// `application/pdf`.
    pub const PDF: Self = Self::known("application/pdf");
    /// `application/octet-stream`: nobody said.
    pub const UNKNOWN: Self = Self::known("application/octet-stream");

    const fn known(essence: &'static str) -> Self {
        Self {
            essence: Cow::Borrowed(essence),
            charset: None,
        }
    }

    /// Reads the value of a `content-type` header; [`UNKNOWN`](Self::UNKNOWN) when it names no type.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let token = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+*'`|~%".contains(&byte))
        };
        if !essence
            .split_once('/')
            .is_some_and(|(kind, name)| token(kind) && token(name))
        {
            return Self::UNKNOWN;
        }
        let charset = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase())
            .filter(|value| !value.is_empty());
        Self {
            essence: Cow::Owned(essence),
            charset,
        }
    }

    /// The type that the end of a file's name, a path or a URL's path stands for.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.split(['?', '#']).next().unwrap_or_default();
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let (_, extension) = name.rsplit_once('.')?;
        let extension = extension.to_ascii_lowercase();
        EXTENSIONS
            .iter()
            .find(|(known, _)| *known == extension)
            .map(|(_, essence)| Self::known(essence))
    }

    /// The type without parameters, in lower case: `text/html`.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The character set, in lower case, when one was named.
    pub fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }
}

/// As [IANA](https://www.iana.org/assignments/media-types/media-types.xhtml) and, for code, [GitHub's
/// Linguist](https://github.com/github-linguist/linguist/blob/main/lib/linguist/languages.yml) name them.
const EXTENSIONS: &[(&str, &str)] = &[
    ("txt", "text/plain"),
    ("text", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("mdx", "text/markdown"),
    ("markdown", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("xhtml", "application/xhtml+xml"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("json", "application/json"),
    ("ndjson", "application/x-ndjson"),
    ("jsonl", "application/x-ndjson"),
    ("pdf", "application/pdf"),
    ("rs", "text/x-rust"),
    ("py", "text/x-python"),
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("cjs", "text/javascript"),
    ("jsx", "text/javascript"),
    ("ts", "text/x-typescript"),
    ("tsx", "text/x-typescript"),
    ("go", "text/x-go"),
    ("java", "text/x-java"),
    ("kt", "text/x-kotlin"),
    ("swift", "text/x-swift"),
    ("c", "text/x-c"),
    ("h", "text/x-c"),
    ("cc", "text/x-c++"),
    ("cpp", "text/x-c++"),
    ("hpp", "text/x-c++"),
    ("cs", "text/x-csharp"),
    ("rb", "text/x-ruby"),
    ("php", "text/x-php"),
    ("scala", "text/x-scala"),
    ("sh", "text/x-sh"),
    ("sql", "text/x-sql"),
    ("css", "text/css"),
    ("yaml", "text/yaml"),
    ("yml", "text/yaml"),
    ("toml", "text/toml"),
    ("xml", "text/xml"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("doc", "application/msword"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("xls", "application/vnd.ms-excel"),
    ("xlsm", "application/vnd.ms-excel.sheet.macroenabled.12"),
    ("xlsb", "application/vnd.ms-excel.sheet.binary.macroenabled.12"),
    ("numbers", "application/vnd.apple.numbers"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("webp", "image/webp"),
    ("svg", "image/svg+xml"),
];

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.charset {
            None => f.write_str(&self.essence),
            Some(charset) => write!(f, "{}; charset={charset}", self.essence),
        }
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_headers_have_them() {
        for (text, essence, charset) in [
            ("text/plain", "text/plain", None),
            (
                " Text/Plain ;charset=ISO-8859-1",
                "text/plain",
                Some("iso-8859-1"),
            ),
            (
                "text/html; boundary=x; Charset = \"utf-8\"",
                "text/html",
                Some("utf-8"),
            ),
            ("text/html; charset=", "text/html", None),
            ("", "application/octet-stream", None),
            ("markdown", "application/octet-stream", None),
            ("a b/c", "application/octet-stream", None),
            ("application/vnd.api+json", "application/vnd.api+json", None),
        ] {
            let read = MediaType::parse(text);
            assert_eq!((read.essence(), read.charset()), (essence, charset), "{text}");
            assert_eq!(MediaType::parse(&read.to_string()), read);
        }
    }

    #[test]
    fn names_tell_types() {
        for (name, essence) in [
            ("a/b.MD", "text/markdown"),
            ("https://example.com/a.html?x=.pdf#y", "text/html"),
            (r"c:\files\a.tar.json", "application/json"),
        ] {
            assert_eq!(MediaType::of_name(name).unwrap().essence(), essence, "{name}");
        }
        for name in ["", "md", "a.md/b", "archive.tar.unknown", "."] {
            assert_eq!(MediaType::of_name(name), None, "{name}");
        }
    }
}
