use std::collections::HashSet;

use bytes::Bytes;
use edge_ai_core::Result;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The most requests of a batch (<https://platform.openai.com/docs/guides/batch#2-upload-your-batch-input-file>).
pub(super) const MAX_LINES: usize = 50_000;

/// The most errors that are told.
const MAX_ERRORS: usize = 100;

/// What is wrong with a batch, or one of its lines, by its number from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wrong {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) param: Option<String>,
    pub(super) line: Option<usize>,
}

impl Wrong {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            param: None,
            line: None,
        }
    }

    fn at(mut self, line: usize, param: Option<&str>) -> Self {
        self.line = Some(line);
        self.param = param.map(str::to_owned);
        self
    }
}

/// A request of a batch.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) custom_id: String,
    pub(super) body: Bytes,
}

#[derive(Deserialize)]
struct Written<'a> {
    custom_id: Option<String>,
    method: Option<String>,
    url: Option<String>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// Reads the lines of a file, each a request to `endpoint`; what is wrong with them otherwise. `check` looks at a body.
pub(super) fn read_lines(
    file: &Bytes,
    endpoint: &str,
    check: impl Fn(&Bytes) -> Result<()>,
) -> std::result::Result<Vec<Line>, Vec<Wrong>> {
    let (mut lines, mut wrongs, mut ids) = (Vec::new(), Vec::new(), HashSet::new());
    for (at, text) in file.split(|byte| *byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        if lines.len() >= MAX_LINES {
            let message = format!("a batch has at most {MAX_LINES} requests");
            return Err(vec![Wrong::new("too_many_tasks", message)]);
        }
        match read_line(file, text, endpoint, &check) {
            Ok(line) if ids.insert(line.custom_id.clone()) => lines.push(line),
            Ok(line) => {
                let message = format!(
                    "the custom_id `{}` is there twice; give each line its own",
                    line.custom_id
                );
                wrongs.push(Wrong::new("duplicate_custom_id", message).at(at + 1, Some("custom_id")));
            }
            Err((wrong, param)) => wrongs.push(wrong.at(at + 1, param)),
        }
        if wrongs.len() >= MAX_ERRORS {
            return Err(wrongs);
        }
    }
    if wrongs.is_empty() && lines.is_empty() {
        wrongs.push(Wrong::new("empty_file", "the input file has no requests"));
    }
    if wrongs.is_empty() { Ok(lines) } else { Err(wrongs) }
}

type Refused = (Wrong, Option<&'static str>);

fn read_line(
    file: &Bytes,
    text: &[u8],
    endpoint: &str,
    check: impl Fn(&Bytes) -> Result<()>,
) -> std::result::Result<Line, Refused> {
    let written: Written<'_> = serde_json::from_slice(text).map_err(|error| {
        (
            Wrong::new(
                "invalid_json_line",
                format!("this line is no JSON request: {error}"),
            ),
            None,
        )
    })?;
    let missing = |name: &'static str| {
        let message = format!("the required field `{name}` is missing");
        (Wrong::new("missing_required_parameter", message), Some(name))
    };
    let custom_id = written
        .custom_id
        .filter(|id| !id.is_empty())
        .ok_or_else(|| missing("custom_id"))?;
    if custom_id.len() > 512 {
        let message = "a custom_id has at most 512 bytes";
        return Err((Wrong::new("invalid_custom_id", message), Some("custom_id")));
    }
    let method = written.method.ok_or_else(|| missing("method"))?;
    if method != "POST" {
        let message = format!("the method is POST, not `{method}`");
        return Err((Wrong::new("invalid_method", message), Some("method")));
    }
    let url = written.url.ok_or_else(|| missing("url"))?;
    if url != endpoint {
        let message = format!("the url `{url}` is not the batch's endpoint `{endpoint}`");
        return Err((Wrong::new("mismatched_endpoint", message), Some("url")));
    }
    let body = file.slice_ref(written.body.ok_or_else(|| missing("body"))?.get().as_bytes());
    check(&body).map_err(|error| {
        let code = error.code().unwrap_or("invalid_request").to_owned();
        let place = error
            .param()
            .map(|param| format!(" (`body.{param}`)"))
            .unwrap_or_default();
        (
            Wrong::new(&code, format!("{}{place}", error.message())),
            Some("body"),
        )
    })?;
    Ok(Line { custom_id, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::Error;

    fn read(text: &str) -> std::result::Result<Vec<Line>, Vec<Wrong>> {
        read_lines(&Bytes::from(text.to_owned()), "/v1/embeddings", |body| {
            if body.starts_with(b"{\"bad") {
                Err(Error::invalid("bad", "it is bad"))
            } else {
                Ok(())
            }
        })
    }

    #[test]
    fn lines_are_read_with_their_bodies_as_they_are() {
        let lines = read("{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":{\"x\": 1.0}}\r\n\n").unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!(
            (lines[0].custom_id.as_str(), &lines[0].body[..]),
            ("a", &b"{\"x\": 1.0}"[..])
        );
    }

    #[test]
    fn what_is_wrong_is_told_by_line() {
        let wrongs = read(concat!(
            "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":{}}\n",
            "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":{}}\n",
            "nonsense\n",
            "{\"custom_id\":\"b\",\"method\":\"GET\",\"url\":\"/v1/embeddings\",\"body\":{}}\n",
            "{\"custom_id\":\"c\",\"method\":\"POST\",\"url\":\"/v1/x\",\"body\":{}}\n",
            "{\"custom_id\":\"d\",\"method\":\"POST\",\"url\":\"/v1/embeddings\"}\n",
            "{\"custom_id\":\"e\",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":{\"bad\":1}}\n",
        ))
        .unwrap_err();
        let told: Vec<_> = wrongs
            .iter()
            .map(|wrong| (wrong.line.unwrap(), wrong.code.as_str()))
            .collect();
        let expect = [
            (2, "duplicate_custom_id"),
            (3, "invalid_json_line"),
            (4, "invalid_method"),
            (5, "mismatched_endpoint"),
            (6, "missing_required_parameter"),
            (7, "invalid_request"),
        ];
        assert_eq!(told, expect);
        assert_eq!(read("\n").unwrap_err()[0].code, "empty_file");
    }
}
