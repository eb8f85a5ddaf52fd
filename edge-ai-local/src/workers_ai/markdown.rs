//! `toMarkdown`: text formats only; of the rest each file gets an error of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::error::Error;
use super::html;
use crate::generate::tokens;
use crate::json::set;
use crate::reply::Reply;

/// Types converted, with their extensions.
const SUPPORTED: &[(&str, &str)] = &[
    ("text/html", ".html"),
    ("text/plain", ".txt"),
    ("text/markdown", ".md"),
    ("application/json", ".json"),
];

pub(super) fn supported() -> Reply {
    let result: Vec<Value> = SUPPORTED
        .iter()
        .map(|(mime, extension)| json!({ "mimeType": mime, "extension": extension }))
        .collect();
    Reply::json(&json!({ "success": true, "result": result }))
}

pub(super) fn transform(body: Option<&Value>) -> Result<Reply, Error> {
    let files = body
        .and_then(|body| body.get("files"))
        .and_then(Value::as_array)
        .ok_or_else(|| Error::input("required properties at '/' are 'files'"))?;
    let result: Vec<Value> = files
        .iter()
        .enumerate()
        .map(|(at, file)| convert(at, file))
        .collect();
    Ok(Reply::json(&json!({ "success": true, "result": result })))
}

fn convert(at: usize, file: &Value) -> Value {
    let text = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
    let mime = text("mimeType")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let mut answer = json!({ "id": format!("file-{at}"), "name": text("name"), "mimeType": mime });
    match markdown(&mime, text("data")) {
        Ok(data) => {
            set(&mut answer, "format", "markdown");
            set(&mut answer, "tokens", tokens::count(&data));
            set(&mut answer, "data", data);
        }
        Err(error) => {
            set(&mut answer, "format", "error");
            set(&mut answer, "error", error);
        }
    }
    answer
}

fn markdown(mime: &str, base64: &str) -> Result<String, String> {
    if !SUPPORTED.iter().any(|(known, _)| *known == mime) {
        return Err(format!("edge-ai-local does not convert {mime:?}"));
    }
    let bytes = STANDARD
        .decode(base64)
        .map_err(|error| format!("data is not Base64: {error}"))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(match mime {
        "text/html" => html::to_markdown(&text),
        "application/json" => format!("```json\n{}\n```\n", text.trim()),
        _ => text.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Payload;

    #[test]
    fn text_is_converted_and_the_rest_is_an_error_of_its_own() {
        let file =
            |name: &str, mime: &str, data: &str| json!({ "name": name, "mimeType": mime, "data": data });
        let html = STANDARD.encode("<h1>Title</h1>");
        let body = json!({ "files": [file("a.html", "text/html; charset=utf-8", &html), file("b.pdf", "application/pdf", ""),
                                     file("c.txt", "text/plain", "%%%")] });
        let Payload::Whole { bytes, .. } = transform(Some(&body)).unwrap().payload else {
            panic!("a stream")
        };
        let result = serde_json::from_slice::<Value>(&bytes).unwrap()["result"].clone();
        assert_eq!(
            (&result[0]["format"], &result[0]["data"]),
            (&json!("markdown"), &json!("# Title\n"))
        );
        assert_eq!(
            (&result[1]["format"], &result[2]["format"]),
            (&json!("error"), &json!("error"))
        );
        assert!(transform(Some(&json!({}))).is_err());
    }
}
