use std::ops::Range;

use bytes::{Bytes, BytesMut};
use edge_ai_core::{Error, Result};

/// The most parts of a form.
const MAX_PARTS: usize = 256;

/// The most bytes of a field that is read as a text.
const MAX_TEXT: usize = 1_024;

/// A `multipart/form-data` body ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)): where its fields are in it. Nothing is copied.
#[derive(Debug)]
pub(super) struct Form {
    body: Bytes,
    fields: Vec<(String, Range<usize>)>,
}

impl Form {
    /// Reads a body; `None` when its media type is another.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for a form that does not read, and for one that names two models.
    pub(super) fn read(media_type: &str, body: &Bytes) -> Result<Option<Self>> {
        let mut parameters = media_type.split(';').map(str::trim);
        if !parameters
            .next()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))
        {
            return Ok(None);
        }
        let boundary = parameters.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let value = value.trim_matches('"');
            (name.eq_ignore_ascii_case("boundary") && (1..=70).contains(&value.len())).then_some(value)
        });
        let boundary = boundary.ok_or_else(|| wrong("the content-type names no boundary"))?;
        let form = Self {
            body: body.clone(),
            fields: fields(body, boundary)?,
        };
        if form.fields.iter().filter(|(name, _)| name == "model").count() > 1 {
            return Err(Error::invalid("model", "the form names more than one model"));
        }
        Ok(Some(form))
    }

    /// A field's value, if it is a short text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, at) = self.fields.iter().find(|(field, _)| field == name)?;
        let value = self
            .body
            .get(at.clone())
            .filter(|value| value.len() <= MAX_TEXT)?;
        std::str::from_utf8(value).ok()
    }

    /// The body with another value for a field that is there.
    pub(super) fn with(&self, name: &str, value: &str) -> Bytes {
        let Some((_, at)) = self.fields.iter().find(|(field, _)| field == name) else {
            return self.body.clone();
        };
        let (before, after) = (self.body.get(..at.start), self.body.get(at.end..));
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let mut whole = BytesMut::with_capacity(before.len() + value.len() + after.len());
        whole.extend_from_slice(before);
        whole.extend_from_slice(value.as_bytes());
        whole.extend_from_slice(after);
        whole.freeze()
    }
}

fn wrong(problem: &str) -> Error {
    Error::invalid("body", format!("the form does not read: {problem}"))
}

fn fields(body: &[u8], boundary: &str) -> Result<Vec<(String, Range<usize>)>> {
    let delimiter = format!("--{boundary}");
    let next = format!("\r\n{delimiter}");
    let mut at = match body.starts_with(delimiter.as_bytes()) {
        true => delimiter.len(),
        // What comes before the first part is for people.
        false => {
            find(body, 0, next.as_bytes()).ok_or_else(|| wrong("its boundary is not in it"))? + next.len()
        }
    };
    let mut fields = Vec::new();
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(fields);
        }
        if fields.len() == MAX_PARTS {
            return Err(wrong("it has too many parts"));
        }
        // Blanks may follow a boundary.
        let line = find(body, at, b"\r\n").ok_or_else(|| wrong("it breaks off"))?;
        // A part without headers has its end of line at once.
        let (head, value) = match find(body, line, b"\r\n\r\n") {
            Some(end) => (body.get(line..end).unwrap_or_default(), end + 4),
            None => return Err(wrong("it breaks off")),
        };
        let end = find(body, value - 2, next.as_bytes()).ok_or_else(|| wrong("its last part has no end"))?;
        fields.push((name(head), value..end.max(value)));
        at = end + next.len();
    }
}

/// The name in a part's `content-disposition`; empty without one.
fn name(head: &[u8]) -> String {
    let head = String::from_utf8_lossy(head);
    let line = head.split("\r\n").find(|line| {
        line.get(..20)
            .is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
    });
    let mut rest = line.unwrap_or_default();
    while let Some((_, parameter)) = rest.split_once(';') {
        let parameter = parameter.trim_start();
        if parameter
            .get(..5)
            .is_some_and(|name| name.eq_ignore_ascii_case("name="))
        {
            let value = parameter.get(5..).unwrap_or_default();
            return match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
                None => value.split(';').next().unwrap_or_default().trim().to_owned(),
            };
        }
        rest = parameter;
    }
    String::new()
}

fn find(body: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = from;
    loop {
        at += body.get(at..)?.iter().position(|byte| *byte == first)?;
        if body.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a; name=x.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--c\r\n\
                        --b\r\ncontent-disposition: form-data; name=model\r\n\r\nwhisper-1\r\n--b\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b--\r\n";

    fn form(body: &str) -> Result<Option<Form>> {
        Form::read(
            "multipart/form-data; boundary=\"b\"",
            &Bytes::copy_from_slice(body.as_bytes()),
        )
    }

    #[test]
    fn fields_are_found_and_exchanged() {
        let form = form(BODY).unwrap().unwrap();
        assert_eq!(
            (form.text("model"), form.text("empty"), form.text("other")),
            (Some("whisper-1"), Some(""), None)
        );
        assert_eq!(form.text("file"), Some("RIFF\r\n--c"));
        assert_eq!(
            form.with("model", "gpt-audio"),
            BODY.replace("whisper-1", "gpt-audio")
        );
        assert_eq!(form.with("other", "x"), BODY);
    }

    #[test]
    fn what_is_no_form_is_told_apart_from_a_broken_one() {
        assert!(Form::read("application/json", &Bytes::new()).unwrap().is_none());
        assert!(Form::read("multipart/form-data", &Bytes::new()).is_err());
        for broken in ["", "--b", "--b\r\n", "--b\r\nx\r\n\r\nvalue", "--c--"] {
            assert!(form(broken).is_err(), "{broken:?}");
        }
        let twice = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n".repeat(2) + "--b--";
        assert_eq!(form(&twice).unwrap_err().param(), Some("model"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in "(--b|\r\n|name=|\"|;|content-disposition:|[a-z]){0,40}") {
            let _ = form(&body);
        }

        #[test]
        fn a_value_is_found_whatever_it_is(value in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assume!(!value.windows(5).any(|at| at == b"\r\n--b"));
            let mut body = b"--b\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n".to_vec();
            body.extend_from_slice(&value);
            body.extend_from_slice(b"\r\n--b--\r\n");
            let form = Form::read("multipart/form-data; boundary=b", &Bytes::from(body)).unwrap().unwrap();
            let at = form.fields[0].1.clone();
            prop_assert_eq!(&form.body[at], &value[..]);
        }
    }
}
