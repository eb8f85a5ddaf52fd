use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use edge_ai_core::{ChatEvent, ChatFrame, ChatResponse, Dialect, Error, ErrorKind, Native, Result};
use serde::{Deserialize, Serialize};

/// What goes through a room, one after another: a mark, a length, and that many bytes.
#[derive(Debug)]
pub(super) enum Piece {
    /// A leader's sign of life.
    Alive,
    /// The dialect of the frames to come.
    Dialect(Dialect),
    /// A frame of a stream.
    Frame(ChatFrame),
    /// A whole answer.
    Whole(Box<ChatResponse>),
    /// The failure that ends it.
    Failed(Error),
    /// To a follower: the leader is lost, lead in its place with this token.
    Lead(u64),
    /// To a follower: the answer broke off.
    Broken,
}

/// The marks, for those who pass pieces on without reading them.
pub(super) mod mark {
    pub(in crate::coalesce) const ALIVE: u8 = b'.';
    pub(in crate::coalesce) const DIALECT: u8 = b'd';
    pub(in crate::coalesce) const FRAME: u8 = b'f';
    pub(in crate::coalesce) const LAST: u8 = b'l';
    pub(in crate::coalesce) const WHOLE: u8 = b'w';
    pub(in crate::coalesce) const FAILED: u8 = b'x';
    pub(in crate::coalesce) const LEAD: u8 = b'n';
    pub(in crate::coalesce) const BROKEN: u8 = b'b';
}

/// The largest piece: an answer of 2 MiB, twice over for its original bytes, with room for escapes.
const MAX_PIECE: usize = 8 << 20;

#[derive(Serialize)]
struct FrameOut<'a> {
    events: &'a [ChatEvent],
    #[serde(skip_serializing_if = "Option::is_none")]
    native: Option<&'a str>,
}

#[derive(Deserialize)]
struct FrameIn {
    events: Vec<ChatEvent>,
    native: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Failure {
    kind: ErrorKind,
    message: String,
    param: Option<String>,
    code: Option<String>,
    status: u16,
    provider: Option<String>,
    retryable: bool,
    retry_after_ms: Option<u64>,
    native: Option<(Dialect, String)>,
}

impl Piece {
    /// Its bytes; `None` for what cannot be written.
    pub(super) fn encode(&self) -> Option<Bytes> {
        match self {
            Self::Alive => Some(raw(mark::ALIVE, &[])),
            Self::Dialect(dialect) => Some(raw(mark::DIALECT, dialect.as_str().as_bytes())),
            Self::Frame(frame) => Self::frame(frame),
            Self::Whole(answer) => Self::whole(answer),
            Self::Failed(error) => Self::failed(error),
            Self::Lead(token) => Some(raw(mark::LEAD, &token.to_be_bytes())),
            Self::Broken => Some(raw(mark::BROKEN, &[])),
        }
    }

    /// A frame; the vendor's own bytes go with it where they are text.
    pub(super) fn frame(frame: &ChatFrame) -> Option<Bytes> {
        let native = frame.native.as_ref();
        let out = FrameOut {
            events: &frame.events,
            native: native.and_then(|native| std::str::from_utf8(native).ok()),
        };
        let mark = if frame.is_last() { mark::LAST } else { mark::FRAME };
        Some(raw(mark, &serde_json::to_vec(&out).ok()?))
    }

    pub(super) fn whole(answer: &ChatResponse) -> Option<Bytes> {
        Some(raw(mark::WHOLE, &serde_json::to_vec(answer).ok()?))
    }

    pub(super) fn failed(error: &Error) -> Option<Bytes> {
        let native = error.native().and_then(|native| {
            let text = std::str::from_utf8(&native.body).ok()?;
            Some((native.dialect.clone(), text.to_owned()))
        });
        let failure = Failure {
            kind: error.kind(),
            message: error.message().to_owned(),
            param: error.param().map(str::to_owned),
            code: error.code().map(str::to_owned),
            status: error.status(),
            provider: error.provider().map(str::to_owned),
            retryable: error.is_retryable(),
            retry_after_ms: error
                .retry_after()
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            native,
        };
        Some(raw(mark::FAILED, &serde_json::to_vec(&failure).ok()?))
    }

    /// Reads a piece as [`Pieces`] cut it.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] for what is none.
    pub(super) fn decode(piece: &Bytes) -> Result<Self> {
        let (Some(mark), Some(payload)) = (piece.first(), piece.get(HEAD..)) else {
            return Err(garbled());
        };
        fn json<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T> {
            serde_json::from_slice(payload).map_err(|error| garbled().with_source(error))
        }
        Ok(match *mark {
            mark::ALIVE => Self::Alive,
            mark::DIALECT => {
                let name = std::str::from_utf8(payload).map_err(|_| garbled())?;
                Self::Dialect(json(
                    &serde_json::to_vec(name).map_err(|error| garbled().with_source(error))?,
                )?)
            }
            mark::FRAME | mark::LAST => {
                let frame: FrameIn = json(payload)?;
                Self::Frame(match frame.native {
                    Some(native) => ChatFrame::with_native(frame.events, native.into()),
                    None => ChatFrame::new(frame.events),
                })
            }
            mark::WHOLE => Self::Whole(json(payload)?),
            mark::FAILED => Self::Failed(json::<Failure>(payload)?.into_error()),
            mark::LEAD => Self::Lead(u64::from_be_bytes(payload.try_into().map_err(|_| garbled())?)),
            mark::BROKEN => Self::Broken,
            _ => return Err(garbled()),
        })
    }
}

impl Failure {
    fn into_error(self) -> Error {
        let mut error = Error::new(self.kind, self.message)
            .with_status(self.status)
            .with_retryable(self.retryable);
        if let Some(param) = self.param {
            error = error.with_param(param);
        }
        if let Some(code) = self.code {
            error = error.with_code(code);
        }
        if let Some(provider) = self.provider {
            error = error.with_provider(provider);
        }
        if let Some(wait) = self.retry_after_ms {
            error = error.with_retry_after(Duration::from_millis(wait));
        }
        if let Some((dialect, body)) = self.native {
            error = error.with_native(Native::new(dialect, body.into()));
        }
        error
    }
}

/// The mark and the length.
const HEAD: usize = 5;

fn raw(mark: u8, payload: &[u8]) -> Bytes {
    let mut piece = BytesMut::with_capacity(HEAD + payload.len());
    piece.put_u8(mark);
    piece.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
    piece.extend_from_slice(payload);
    piece.freeze()
}

fn garbled() -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        "a room of equal requests said something unknown",
    )
}

/// Cuts arriving bytes into pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces(BytesMut);

impl Pieces {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole piece, head included.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] for one that is over the limit.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(mut head) = self.0.get(1..HEAD) else {
            return Ok(None);
        };
        let length = head.get_u32() as usize;
        if length > MAX_PIECE {
            return Err(Error::new(
                ErrorKind::TooLarge,
                "a piece of a shared answer is too large",
            ));
        }
        if self.0.len() < HEAD + length {
            return Ok(None);
        }
        // A copy, so that a piece that is kept does not keep the buffer.
        let piece = Bytes::copy_from_slice(&self.0.split_to(HEAD + length));
        Ok(Some(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_failure_arrives_as_it_was() {
        let error = Error::new(ErrorKind::RateLimited, "slow down")
            .with_param("model")
            .with_code("c")
            .with_status(429)
            .with_provider("openai")
            .with_retry_after(Duration::from_millis(1_500))
            .with_native(Native::new(Dialect::new("d"), "{}".into()));
        let Piece::Failed(back) = Piece::decode(&Piece::failed(&error).unwrap()).unwrap() else {
            panic!("not a failure");
        };
        assert_eq!(format!("{back:?}"), format!("{error:?}"));
        assert_eq!(back.native(), error.native());
        assert!(back.is_retryable());
    }

    proptest! {
        #[test]
        fn pieces_are_the_same_in_any_cut(texts in prop::collection::vec(".{0,20}", 0..6), size in 1usize..9) {
            let frames: Vec<_> = texts
                .iter()
                .map(|text| ChatFrame::with_native(vec![ChatEvent::Text(text.clone())], text.clone().into()))
                .collect();
            let bytes: Vec<u8> = frames.iter().flat_map(|frame| Piece::frame(frame).unwrap().to_vec()).collect();
            let (mut pieces, mut back) = (Pieces::default(), Vec::new());
            for chunk in bytes.chunks(size) {
                pieces.add(chunk);
                while let Some(piece) = pieces.next().unwrap() {
                    let Piece::Frame(frame) = Piece::decode(&piece).unwrap() else { panic!("not a frame") };
                    back.push(frame);
                }
            }
            prop_assert_eq!(back, frames);
        }

        #[test]
        fn garbage_is_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut pieces = Pieces::default();
            pieces.add(&bytes);
            while let Ok(Some(piece)) = pieces.next() {
                let _ = Piece::decode(&piece);
            }
        }
    }
}
