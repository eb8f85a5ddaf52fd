//! Puts an answer on the wire, step by step.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;

use super::script::Step;
use crate::journal::Ticket;

/// Everything of an answer but its body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) content_length: Option<usize>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// Makes the response; the ticket is settled when the last step is done, or lost when the reader goes first.
pub(crate) fn send(head: Head, steps: Vec<Step>, ticket: Ticket) -> Response {
    let body = match <[Step; 1]>::try_from(steps) {
        Ok([Step::Send(bytes)]) if head.content_length == Some(bytes.len()) => {
            ticket.settle();
            Body::from(bytes)
        }
        Ok(step) => stepwise(step.to_vec(), ticket),
        Err(steps) => stepwise(steps, ticket),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(head.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(head.content_type));
    if let Some(length) = head.content_length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    } else {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    for (name, value) in head.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn stepwise(steps: Vec<Step>, ticket: Ticket) -> Body {
    let source = (steps.into_iter(), ticket, false);
    Body::from_stream(stream::unfold(source, |(mut steps, ticket, over)| async move {
        if over {
            return None;
        }
        loop {
            match steps.next() {
                Some(Step::Send(bytes)) => {
                    ticket.sent();
                    return Some((Ok::<Bytes, std::io::Error>(bytes), (steps, ticket, false)));
                }
                Some(Step::Wait(wait)) => tokio::time::sleep(wait).await,
                Some(Step::Silence) => {
                    ticket.broken();
                    std::future::pending::<()>().await;
                }
                Some(Step::Abort) => {
                    ticket.broken();
                    // One turn without a frame makes the server flush what it has before it sees the error.
                    tokio::task::yield_now().await;
                    ticket.settle_ref();
                    let error = std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut by a fault");
                    return Some((Err(error), (steps, ticket, true)));
                }
                None => {
                    ticket.settle_ref();
                    return None;
                }
            }
        }
    }))
}
