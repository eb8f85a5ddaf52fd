use bytes::{BufMut, Bytes, BytesMut};

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderValue {
    /// Yes or no.
    Bool(bool),
    /// 8 bits.
    Byte(i8),
    /// 16 bits.
    Int16(i16),
    /// 32 bits.
    Int32(i32),
    /// 64 bits.
    Int64(i64),
    /// Bytes, at most 65,535.
    Bytes(Bytes),
    /// A text of at most 65,535 bytes.
    String(String),
    /// Milliseconds since 1970.
    Timestamp(i64),
    /// An identifier of 16 bytes.
    Uuid([u8; 16]),
}

impl HeaderValue {
    pub(super) fn write(&self, out: &mut BytesMut) {
        let sized = |out: &mut BytesMut, bytes: &[u8]| {
            let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            out.put_u16(length);
            out.extend_from_slice(bytes.get(..usize::from(length)).unwrap_or(bytes));
        };
        match self {
            Self::Bool(true) => out.put_u8(0),
            Self::Bool(false) => out.put_u8(1),
            Self::Byte(value) => {
                out.put_u8(2);
                out.put_i8(*value);
            }
            Self::Int16(value) => {
                out.put_u8(3);
                out.put_i16(*value);
            }
            Self::Int32(value) => {
                out.put_u8(4);
                out.put_i32(*value);
            }
            Self::Int64(value) => {
                out.put_u8(5);
                out.put_i64(*value);
            }
            Self::Bytes(value) => {
                out.put_u8(6);
                sized(out, value);
            }
            Self::String(value) => {
                out.put_u8(7);
                sized(out, value.as_bytes());
            }
            Self::Timestamp(value) => {
                out.put_u8(8);
                out.put_i64(*value);
            }
            Self::Uuid(value) => {
                out.put_u8(9);
                out.extend_from_slice(value);
            }
        }
    }
}

/// Reads all headers; `None` when they are not well formed.
pub(super) fn read_all(bytes: &[u8]) -> Option<Vec<(String, HeaderValue)>> {
    let mut reader = Reader(bytes);
    let mut headers = Vec::new();
    while !reader.0.is_empty() {
        let [length] = reader.array()?;
        let name = String::from_utf8(reader.take(usize::from(length))?.to_vec()).ok()?;
        headers.push((name, reader.value()?));
    }
    Some(headers)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(self.array()?);
        self.take(usize::from(length))
    }

    fn value(&mut self) -> Option<HeaderValue> {
        let [kind] = self.array()?;
        Some(match kind {
            0 => HeaderValue::Bool(true),
            1 => HeaderValue::Bool(false),
            2 => HeaderValue::Byte(i8::from_be_bytes(self.array()?)),
            3 => HeaderValue::Int16(i16::from_be_bytes(self.array()?)),
            4 => HeaderValue::Int32(i32::from_be_bytes(self.array()?)),
            5 => HeaderValue::Int64(i64::from_be_bytes(self.array()?)),
            6 => HeaderValue::Bytes(Bytes::copy_from_slice(self.sized()?)),
            7 => HeaderValue::String(String::from_utf8(self.sized()?.to_vec()).ok()?),
            8 => HeaderValue::Timestamp(i64::from_be_bytes(self.array()?)),
            9 => HeaderValue::Uuid(self.array()?),
            _ => return None,
        })
    }
}
