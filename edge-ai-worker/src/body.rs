use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use edge_ai_core::{Body, BodySource, Error, ErrorKind, Result, async_trait};
use futures_util::StreamExt;
use futures_util::future::poll_fn;
use futures_util::stream::{self, BoxStream};
use js_sys::Uint8Array;
use js_sys::futures::{JsFuture, future_to_promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::ReadableStream;
use worker::send::SendFuture;

use crate::bridge;
use crate::error::Thrown;
use crate::exchange::Exchange;

/// A JavaScript stream of bytes as a body. Dropping it before its end cancels the stream.
pub fn body_from_js(stream: ReadableStream) -> Body {
    Body::from_source(JsBody {
        owner: stream.into(),
        length: None,
        closing: Closing::Cancel,
    })
}

/// A body as a JavaScript stream of bytes.
///
/// An error of the body becomes the stream's error. Cancelling the stream drops the body.
///
/// # Errors
/// [`ErrorKind::Internal`] when the body is a JavaScript stream that somebody has opened already.
pub fn body_to_js(body: Body) -> Result<ReadableStream> {
    match body.into_source::<JsBody>() {
        Ok(body) => body.into_js_stream(),
        Err(body) => Ok(Outgoing::stream(body.into_stream())),
    }
}

/// A body that belongs to an exchange and is a stream already.
pub(crate) fn body_of(stream: JsValue, exchange: Exchange) -> Body {
    Body::from_source(JsBody::new(stream, None, Closing::Abort(exchange)))
}

/// A body that is still on JavaScript's side.
pub(crate) struct JsBody {
    /// A request, a response, or the stream itself.
    owner: JsValue,
    /// The announced length, where nothing stands between it and what is read.
    length: Option<u64>,
    closing: Closing,
}

/// What is to be done when the rest of a body is given up.
pub(crate) enum Closing {
    /// Nothing: the runtime ends a request that nobody reads on.
    Leave,
    /// The stream is cancelled.
    Cancel,
    /// The exchange with the server is closed.
    Abort(Exchange),
}

impl JsBody {
    pub(crate) fn new(owner: JsValue, length: Option<u64>, closing: Closing) -> Self {
        Self {
            owner,
            length,
            closing,
        }
    }

    /// The stream itself, for somebody on JavaScript's side.
    fn into_js_stream(mut self) -> Result<ReadableStream> {
        let stream = match bridge::stream_of(&self.owner).map_err(|thrown| broken_off(&thrown))? {
            Some(stream) if stream.locked() => {
                return Err(Error::new(ErrorKind::Internal, "the body is being read already"));
            }
            Some(stream) => stream,
            None => Outgoing::stream(stream::empty().boxed()),
        };
        self.done();
        Ok(stream)
    }

    /// Nothing is left to give up.
    fn done(&mut self) {
        if let Closing::Abort(exchange) = std::mem::replace(&mut self.closing, Closing::Leave) {
            exchange.finish();
        }
    }
}

impl Drop for JsBody {
    fn drop(&mut self) {
        // An exchange closes by itself when it is dropped.
        if matches!(self.closing, Closing::Cancel) {
            // Nobody is left to be told.
            let _ = bridge::cancel_body(&self.owner);
        }
    }
}

#[async_trait]
impl BodySource for JsBody {
    async fn bytes(mut self: Box<Self>, limit: usize) -> Result<Bytes> {
        let too_large = || {
            Error::new(
                ErrorKind::TooLarge,
                format!("the body is over the limit of {limit} bytes"),
            )
        };
        if self.length.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let whole = bridge::collect(&self.owner, limit as f64, self.length.is_some());
        let whole = SendFuture::new(JsFuture::from(whole))
            .await
            .map_err(|thrown| broken_off(&thrown))?;
        let whole = bridge::bytes(whole).ok_or_else(too_large)?;
        self.done();
        Ok(whole.into())
    }

    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<Bytes>> {
        let reader = match bridge::reader_of(&self.owner) {
            Ok(reader) => Reader { reader, body: *self },
            Err(thrown) => return stream::once(std::future::ready(Err(broken_off(&thrown)))).boxed(),
        };
        stream::unfold(reader, |mut reader| async move {
            Some((reader.next().await?, reader))
        })
        .boxed()
    }
}

/// A body that is being read piece by piece.
struct Reader {
    /// None after the end, and where there is no body.
    reader: Option<JsValue>,
    body: JsBody,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        loop {
            let piece = bridge::read(self.reader.as_ref()?);
            match SendFuture::new(JsFuture::from(piece)).await.map(bridge::bytes) {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(piece)) => return Some(Ok(piece.into())),
                Ok(None) => {
                    self.reader = None;
                    self.body.done();
                }
                Err(thrown) => {
                    self.reader = None;
                    return Some(Err(broken_off(&thrown)));
                }
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            bridge::cancel_reader(reader);
            // Cancelled through the reader, which holds the lock.
            if matches!(self.body.closing, Closing::Cancel) {
                self.body.closing = Closing::Leave;
            }
        }
    }
}

fn broken_off(thrown: &JsValue) -> Error {
    Thrown::of(thrown)
        .into_error(ErrorKind::Interrupted)
        .with_context("the body broke off")
}

/// A Rust stream that JavaScript reads. Empty after its end, its error, or its cancellation.
#[derive(Clone)]
struct Outgoing(Rc<RefCell<Option<BoxStream<'static, Result<Bytes>>>>>);

impl Outgoing {
    fn stream(stream: BoxStream<'static, Result<Bytes>>) -> ReadableStream {
        let outgoing = Self(Rc::new(RefCell::new(Some(stream))));
        let cancelled = outgoing.clone();
        // Both closures live as long as the JavaScript stream that holds them.
        let pull = Closure::wrap_assert_unwind_safe(Box::new(move || {
            let outgoing = outgoing.clone();
            future_to_promise(AssertUnwindSafe(async move {
                poll_fn(|context| outgoing.poll(context)).await
            }))
        }) as Box<dyn FnMut() -> js_sys::Promise>);
        let cancel =
            Closure::wrap_assert_unwind_safe(Box::new(move || drop(cancelled.take())) as Box<dyn FnMut()>);
        bridge::stream_from(pull.into_js_value(), cancel.into_js_value())
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Result<JsValue, JsValue>> {
        loop {
            let polled = match self.0.borrow_mut().as_mut() {
                Some(stream) => stream.poll_next_unpin(context),
                None => Poll::Ready(None),
            };
            let settled = match polled {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(piece))) if piece.is_empty() => continue,
                Poll::Ready(Some(Ok(piece))) => {
                    return Poll::Ready(Ok(Uint8Array::new_from_slice(&piece).into()));
                }
                Poll::Ready(Some(Err(error))) => Err(js_sys::Error::new(&error.to_string()).into()),
                Poll::Ready(None) => Ok(JsValue::UNDEFINED),
            };
            drop(self.take());
            return Poll::Ready(settled);
        }
    }

    fn take(&self) -> Option<BoxStream<'static, Result<Bytes>>> {
        self.0.try_borrow_mut().ok().and_then(|mut stream| stream.take())
    }
}
