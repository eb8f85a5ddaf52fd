use edge_ai_core::{Body, Error, ErrorKind, Result};
use http::StatusCode;
use web_sys::Response;

use crate::body::body_to_js;
use crate::error::js_error;
use crate::{bridge, head};

/// An answer for the runtime to send. `#[event(fetch)]` takes it as it is, and `worker::Response::from` turns it into
/// the `worker` crate's.
///
/// - A whole body crosses in one piece, and so does a body that came from the runtime and was never opened.
/// - An error of a streamed body breaks the answer off.
/// - A status that forbids a body (204, 205, 304) has none; 101 needs a `worker::WebSocket` among the extensions.
///
/// # Errors
/// [`ErrorKind::Internal`] for a status that a Worker cannot answer with: under 200 or over 599.
pub fn response_to_js(response: http::Response<Body>) -> Result<Response> {
    let (mut parts, body) = response.into_parts();
    let status = parts.status;
    let head = head::write(&[status.as_str()], &parts.headers);
    let response = match parts.extensions.remove::<worker::WebSocket>() {
        Some(socket) if status == StatusCode::SWITCHING_PROTOCOLS => {
            bridge::respond_web_socket(&head, socket.as_ref())
        }
        _ if !(200..600).contains(&status.as_u16()) => {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a Worker cannot answer with status {status}"),
            ));
        }
        _ if forbids_body(status) => bridge::respond_bytes(&head, None),
        _ => match body.as_bytes() {
            Some(bytes) => bridge::respond_bytes(
                &head,
                Some(bytes)
                    .filter(|bytes| !bytes.is_empty())
                    .map(|bytes| &bytes[..]),
            ),
            None => bridge::respond_stream(&head, &body_to_js(body)?),
        },
    };
    response
        .map_err(|thrown| js_error(ErrorKind::Internal, &thrown).with_context("the answer cannot be sent"))
}

/// The Fetch standard's null body statuses.
pub(crate) fn forbids_body(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
    )
}
