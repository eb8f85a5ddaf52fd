use bytes::{Buf, Bytes, BytesMut};
use edge_ai_core::{Error, ErrorKind, Result};

use super::header::read_all;
use super::{CHECKSUM, MAX_HEADERS, MAX_PAYLOAD, Message, PRELUDE};

/// Takes the bytes of a stream as they arrive, however they were cut, and gives its messages.
///
/// Every checksum is checked. No more is kept than one message of the largest size (24 MiB of payload, 128 KiB of headers).
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
    failed: bool,
}

impl Decoder {
    /// A decoder at a stream's beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, chunk: &[u8]) {
        if !self.failed {
            self.buffer.extend_from_slice(chunk);
        }
    }

    /// The next message, once all of it is there.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] for a checksum that is wrong and for bytes that are no message. Nothing comes after it.
    pub fn next_message(&mut self) -> Result<Option<Message>> {
        let message = self.take();
        if message.is_err() {
            self.failed = true;
            self.buffer = BytesMut::new();
        }
        message
    }

    /// Whether a message has begun that is not complete.
    pub fn is_within_message(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn take(&mut self) -> Result<Option<Message>> {
        let Some(prelude) = self.buffer.get(..PRELUDE) else {
            return Ok(None);
        };
        let field = |at: usize| prelude.get(at..at + 4).map_or(0, |mut bytes| bytes.get_u32());
        let (total, headers) = (length(field(0)), length(field(4)));
        // The lengths are believed only once their checksum is right.
        if crc32fast::hash(prelude.get(..8).unwrap_or_default()) != field(8) {
            return Err(broken("the checksum of its lengths is wrong"));
        }
        let around = PRELUDE + CHECKSUM;
        let payload = total
            .checked_sub(around)
            .and_then(|rest| rest.checked_sub(headers));
        match payload {
            Some(payload) if headers <= MAX_HEADERS && payload <= MAX_PAYLOAD => {}
            _ => return Err(broken("its lengths cannot be right")),
        }
        if self.buffer.len() < total {
            return Ok(None);
        }
        let message = self.buffer.split_to(total).freeze();
        let body = message.slice(..total - CHECKSUM);
        let mut checksum = message.slice(total - CHECKSUM..);
        if crc32fast::hash(&body) != checksum.get_u32() {
            return Err(broken("its checksum is wrong"));
        }
        read(&body, headers).map(Some)
    }
}

/// The parts of a message whose lengths and checksums are right.
fn read(body: &Bytes, headers: usize) -> Result<Message> {
    let end = PRELUDE + headers;
    let named = body.get(PRELUDE..end).and_then(read_all);
    let named = named.ok_or_else(|| broken("its headers do not read"))?;
    Ok(Message::new(named, body.slice(end..)))
}

fn length(field: u32) -> usize {
    usize::try_from(field).unwrap_or(usize::MAX)
}

fn broken(problem: &str) -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        format!("a message of the event stream is broken: {problem}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::eventstream::HeaderValue;
    use proptest::prelude::*;

    fn decode(chunks: &[&[u8]]) -> Result<Vec<Message>> {
        let mut decoder = Decoder::new();
        let mut messages = Vec::new();
        for chunk in chunks {
            decoder.push(chunk);
            while let Some(message) = decoder.next_message()? {
                messages.push(message);
            }
        }
        if decoder.is_within_message() {
            return Err(broken("it ends within"));
        }
        Ok(messages)
    }

    /// From the test vectors of AWS's SDKs (aws-c-event-stream, `empty_message`, `payload_no_headers` and `payload_one_str_header`).
    #[test]
    fn published_messages_read_and_write() {
        let empty = [
            0, 0, 0, 16, 0, 0, 0, 0, 5, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff,
        ];
        assert_eq!(decode(&[&empty]).unwrap(), [Message::default()]);
        assert_eq!(Message::default().encode(), &empty[..]);
        let plain = [
            &[0, 0, 0, 0x1d, 0, 0, 0, 0, 0xfd, 0x52, 0x8c, 0x5a][..],
            b"{'foo':'bar'}",
            &[0xc3, 0x65, 0x39, 0x36],
        ]
        .concat();
        let message = Message::new(Vec::new(), "{'foo':'bar'}");
        assert_eq!(decode(&[&plain]).unwrap(), std::slice::from_ref(&message));
        assert_eq!(message.encode(), plain);
        let headed = [
            &[0, 0, 0, 0x3d, 0, 0, 0, 0x20, 0x07, 0xfd, 0x83, 0x96][..],
            b"\x0ccontent-type\x07\x00\x10application/json",
            b"{'foo':'bar'}",
            &[0x8d, 0x9c, 0x08, 0xb1],
        ]
        .concat();
        let header = (
            "content-type".to_owned(),
            HeaderValue::String("application/json".into()),
        );
        let message = Message::new(vec![header], "{'foo':'bar'}");
        assert_eq!(decode(&[&headed]).unwrap(), std::slice::from_ref(&message));
        assert_eq!(message.encode(), headed);
    }

    #[test]
    fn lengths_are_bounded_before_anything_is_kept() {
        let mut prelude = BytesMut::new();
        for (total, headers) in [(u32::MAX, 0), (16, 1), (15, 0), (200 << 10, 130 << 10)] {
            prelude.clear();
            prelude.extend_from_slice(&total.to_be_bytes());
            prelude.extend_from_slice(&u32::to_be_bytes(headers));
            let checksum = crc32fast::hash(&prelude);
            prelude.extend_from_slice(&checksum.to_be_bytes());
            let error = decode(&[&prelude]).unwrap_err();
            assert!(error.message().contains("lengths cannot"), "{error}");
        }
    }

    fn value() -> impl Strategy<Value = HeaderValue> {
        prop_oneof![
            any::<bool>().prop_map(HeaderValue::Bool),
            any::<i8>().prop_map(HeaderValue::Byte),
            any::<i16>().prop_map(HeaderValue::Int16),
            any::<i32>().prop_map(HeaderValue::Int32),
            any::<i64>().prop_map(HeaderValue::Int64),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| HeaderValue::Bytes(bytes.into())),
            "\\PC{0,20}".prop_map(HeaderValue::String),
            any::<i64>().prop_map(HeaderValue::Timestamp),
            any::<[u8; 16]>().prop_map(HeaderValue::Uuid),
        ]
    }

    fn message() -> impl Strategy<Value = Message> {
        let headers = prop::collection::vec(("[:a-z-]{1,20}", value()), 0..5);
        let payload = prop::collection::vec(any::<u8>(), 0..200);
        (headers, payload).prop_map(|(headers, payload)| Message::new(headers, payload))
    }

    proptest! {
        #[test]
        fn any_cutting_gives_the_same_messages(messages in prop::collection::vec(message(), 0..5), size in 1_usize..60) {
            let bytes: Vec<u8> = messages.iter().flat_map(|message| message.encode().to_vec()).collect();
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(decode(&chunks).unwrap(), messages);
        }

        #[test]
        fn a_flipped_bit_is_an_error(message in message(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = message.encode().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&[&bytes]).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&[&bytes]);
        }

        #[test]
        fn no_headers_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = read_all(&bytes);
        }
    }
}
