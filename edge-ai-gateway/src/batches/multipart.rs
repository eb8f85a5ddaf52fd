use bytes::Bytes;
use edge_ai_core::{Error, Result};

/// The parts of a form that a file is uploaded with ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) purpose: Option<String>,
    pub(super) file: Option<(String, Bytes)>,
}

/// Reads a form.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for what is no form.
pub(super) fn read_form(content_type: &str, body: &Bytes) -> Result<Form> {
    let boundary = boundary(content_type).ok_or_else(|| {
        let message = "files are uploaded as `multipart/form-data` with the fields `purpose` and `file`";
        Error::invalid("content-type", message).with_status(415)
    })?;
    let broken = || Error::invalid("body", "the multipart body breaks off or does not read");
    let mark = [b"--", boundary.as_bytes()].concat();
    let between = [b"\r\n--", boundary.as_bytes()].concat();
    let mut at = find(body, &mark, 0).ok_or_else(broken)? + mark.len();
    let mut form = Form::default();
    loop {
        let rest = body.get(at..).ok_or_else(broken)?;
        if rest.starts_with(b"--") {
            return Ok(form);
        }
        let start = find(body, b"\r\n", at).ok_or_else(broken)? + 2;
        let head = find(body, b"\r\n\r\n", start).ok_or_else(broken)?;
        let end = find(body, &between, head + 2).ok_or_else(broken)?;
        let headers = String::from_utf8_lossy(body.get(start..head).ok_or_else(broken)?).into_owned();
        // A part without content: its head's empty line and the next mark share a line end.
        let content = body.slice((head + 4).min(end)..end);
        match parameter(&headers, "name").as_deref() {
            Some("purpose") => form.purpose = Some(String::from_utf8_lossy(&content).trim().to_owned()),
            Some("file") => {
                let name = parameter(&headers, "filename").unwrap_or_else(|| "file.jsonl".to_owned());
                form.file = Some((
                    name.chars().filter(|char| !char.is_control()).take(200).collect(),
                    content,
                ));
            }
            _ => {}
        }
        at = end + between.len();
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = rest.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// A parameter of the part's `content-disposition`.
fn parameter(headers: &str, name: &str) -> Option<String> {
    let line = headers
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    line.split(';').skip(1).find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        (found.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn find(body: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let first = *what.first()?;
    let mut at = from;
    loop {
        let rest = body.get(at..)?;
        at += rest.iter().position(|byte| *byte == first)?;
        if body.get(at..)?.starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TYPE: &str = "multipart/form-data; boundary=\"x-y\"";

    fn form(content: &str) -> Bytes {
        let text = format!(
            "--x-y\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--x-y\r\ncontent-disposition: form-data; name=\"file\"; \
             filename=\"a.jsonl\"\r\nContent-Type: application/octet-stream\r\n\r\n{content}\r\n--x-y--\r\n"
        );
        text.into()
    }

    #[test]
    fn reads_what_clients_send() {
        let read = read_form(TYPE, &form("{}\n{}")).unwrap();
        assert_eq!(read.purpose.as_deref(), Some("batch"));
        assert_eq!(read.file, Some(("a.jsonl".to_owned(), Bytes::from("{}\n{}"))));
        assert_eq!(
            read_form("application/json", &form("")).unwrap_err().status(),
            415
        );
        assert!(read_form(TYPE, &form("x").slice(..90)).is_err());
    }

    proptest! {
        #[test]
        fn any_content_comes_through(content in "[^y]*") {
            let read = read_form(TYPE, &form(&content)).unwrap();
            prop_assert_eq!(read.file.unwrap().1, Bytes::from(content));
        }

        #[test]
        fn never_panics(body in "(--x-y|\r\n|name=\"file\"|\\PC|;){0,20}") {
            let _ = read_form(TYPE, &Bytes::from(body));
        }
    }
}
