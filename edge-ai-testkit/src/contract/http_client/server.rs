use edge_ai_core::{Bytes, Result};

use crate::scripted::ScriptedResponse;

/// What the server of the suite answers: mount it in any server, under any prefix, and give it the path after the prefix.
///
/// The answer becomes a response with [`ScriptedResponse::into_response`].
///
/// # Errors
/// Never; the type is that of a handler of [`ScriptedHttpClient::from_fn`](crate::scripted::ScriptedHttpClient::from_fn).
pub fn answer(path: &str, request: &http::Request<Bytes>) -> Result<ScriptedResponse> {
    let (route, rest) = path
        .trim_start_matches('/')
        .split_once(['/', '?'])
        .unwrap_or((path.trim_start_matches('/'), ""));
    let status = || rest.parse().unwrap_or(400);
    Ok(match route {
        "status" => ScriptedResponse::new(status()),
        "echo" => echo(path, request),
        "redirect" => ScriptedResponse::new(status()).header("location", "/status/200"),
        "headers" => ScriptedResponse::sse("data: x\n\n")
            .header("x-twice", "a")
            .header("x-twice", "b"),
        "pieces" => text(200).pieces(pieces(path)),
        "large" => text(200).body(large()).cut_every(64 << 10),
        "broken" => text(200).pieces(pieces("/pieces/9")).break_after(100),
        "endless" => text(200).pieces(pieces("/pieces/9")).hang_after(100),
        _ => ScriptedResponse::new(404),
    })
}

fn text(status: u16) -> ScriptedResponse {
    ScriptedResponse::new(status).header("content-type", "text/plain")
}

fn echo(path: &str, request: &http::Request<Bytes>) -> ScriptedResponse {
    let mut response = text(200)
        .header("x-echo-method", request.method().as_str())
        .header("x-echo-path", path);
    for name in ["x-one", "content-type", "authorization"] {
        if let Some(value) = request.headers().get(name).and_then(|value| value.to_str().ok()) {
            response = response.header(&format!("x-echo-header-{name}"), value);
        }
    }
    response.body(request.body().clone())
}

/// The pieces of `/pieces/N`.
pub(super) fn pieces(path: &str) -> Vec<Bytes> {
    let count = path
        .rsplit('/')
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(1_usize);
    (0..count.min(100))
        .map(|index| format!("piece {index} of {count}; ").repeat(index + 1).into())
        .collect()
}

/// The body of `/large`: a mebibyte in which no two parts are alike.
pub(super) fn large() -> Bytes {
    (0..(1_u32 << 18))
        .flat_map(|word| word.wrapping_mul(0x9e37_79b9).to_le_bytes())
        .collect::<Vec<u8>>()
        .into()
}
