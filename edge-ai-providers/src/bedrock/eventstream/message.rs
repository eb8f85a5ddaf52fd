use bytes::{BufMut, Bytes, BytesMut};

use super::{CHECKSUM, HeaderValue, PRELUDE};

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The headers in their order, such as `:event-type`. A name has at most 255 bytes.
    pub headers: Vec<(String, HeaderValue)>,
    /// The content, such as JSON.
    pub payload: Bytes,
}

impl Message {
    /// A message of headers and a payload.
    pub fn new(headers: Vec<(String, HeaderValue)>, payload: impl Into<Bytes>) -> Self {
        Self {
            headers,
            payload: payload.into(),
        }
    }

    /// An event of a stream, with JSON in it.
    pub fn event(event_type: &str, json: impl Into<Bytes>) -> Self {
        Self::of_type("event", ":event-type", event_type, json)
    }

    /// An exception of a stream, with JSON in it: the stream's last message.
    pub fn exception(exception_type: &str, json: impl Into<Bytes>) -> Self {
        Self::of_type("exception", ":exception-type", exception_type, json)
    }

    fn of_type(message_type: &str, type_header: &str, name: &str, json: impl Into<Bytes>) -> Self {
        let headers = [
            (type_header, name),
            (":content-type", "application/json"),
            (":message-type", message_type),
        ];
        let text = |(name, value): (&str, &str)| (name.to_owned(), HeaderValue::String(value.to_owned()));
        Self::new(headers.map(text).to_vec(), json)
    }

    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        match value {
            HeaderValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The message as bytes.
    pub fn encode(&self) -> Bytes {
        let mut headers = BytesMut::new();
        for (name, value) in &self.headers {
            let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
            headers.put_u8(length);
            let name = name.as_bytes();
            headers.extend_from_slice(name.get(..usize::from(length)).unwrap_or(name));
            value.write(&mut headers);
        }
        let total = PRELUDE + headers.len() + self.payload.len() + CHECKSUM;
        let mut out = BytesMut::with_capacity(total);
        out.put_u32(length_field(total));
        out.put_u32(length_field(headers.len()));
        out.put_u32(crc32fast::hash(&out));
        out.extend_from_slice(&headers);
        out.extend_from_slice(&self.payload);
        out.put_u32(crc32fast::hash(&out));
        out.freeze()
    }
}

fn length_field(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
