use std::fmt::Write as _;

use super::sha256_hex;

/// The request in the form that is signed.
///
/// - `path` is the path as it is sent, escapes included: AWS's services but S3 sign it escaped once more.
/// - `query` is the query as it is sent, without `?`.
/// - `headers` are those that are signed, by their names in lower case; `host` must be among them.
pub fn canonical_request(
    method: &str,
    path: &str,
    query: &str,
    headers: &[(&str, &str)],
    payload: &[u8],
) -> String {
    let mut headers = headers.to_vec();
    headers.sort_unstable();
    let mut text = format!("{method}\n{}\n{}\n", canonical_path(path), canonical_query(query));
    for (name, value) in &headers {
        let words: Vec<_> = value.split_ascii_whitespace().collect();
        let _ = writeln!(text, "{name}:{}", words.join(" "));
    }
    let _ = write!(text, "\n{}\n{}", signed_headers(&headers), sha256_hex(payload));
    text
}

/// The names of the headers, as the `authorization` header lists them. They are sorted.
pub(super) fn signed_headers(headers: &[(&str, &str)]) -> String {
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    names.join(";")
}

/// Escapes what is not unreserved in one segment of a path, `/` and `:` included.
pub(in super::super) fn encode_segment(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len() + 8);
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn canonical_path(path: &str) -> String {
    if path.is_empty() {
        return "/".to_owned();
    }
    let segments: Vec<_> = path.split('/').map(encode_segment).collect();
    segments.join("/")
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_is_one_segment() {
        assert_eq!(
            encode_segment("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-v2:1"),
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.anthropic.claude-v2%3A1"
        );
        let canonical = canonical_request("POST", "/model/a.b-v1%3A0/converse", "", &[("host", "h")], b"");
        assert!(canonical.starts_with("POST\n/model/a.b-v1%253A0/converse\n\nhost:h\n\nhost\n"));
    }
}
