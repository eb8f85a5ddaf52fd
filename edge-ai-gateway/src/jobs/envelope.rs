use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::storage::{read_json, write_json};

/// A value and bytes as one body: the length of the value's JSON in four bytes, the JSON, the bytes.
pub(crate) fn pack<T: Serialize>(value: &T, bytes: &[u8]) -> Result<Bytes> {
    let json = write_json(value)?;
    let length = u32::try_from(json.len()).map_err(|_| broken())?;
    let mut packed = Vec::with_capacity(4 + json.len() + bytes.len());
    packed.extend_from_slice(&length.to_be_bytes());
    packed.extend_from_slice(&json);
    packed.extend_from_slice(bytes);
    Ok(packed.into())
}

/// What [`pack`] has made one.
pub(crate) fn unpack<T: DeserializeOwned>(packed: &Bytes) -> Result<(T, Bytes)> {
    let length: [u8; 4] = packed
        .get(..4)
        .and_then(|length| length.try_into().ok())
        .ok_or_else(broken)?;
    let end = usize::try_from(u32::from_be_bytes(length))
        .ok()
        .and_then(|length| length.checked_add(4))
        .filter(|end| *end <= packed.len())
        .ok_or_else(broken)?;
    Ok((read_json(&packed.slice(4..end))?, packed.slice(end..)))
}

fn broken() -> Error {
    Error::new(
        ErrorKind::Internal,
        "a message between the gateway and its jobs does not read",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn round_trips(value in ".*", bytes in prop::collection::vec(any::<u8>(), 0..99)) {
            let (read, rest) = unpack::<String>(&pack(&value, &bytes).unwrap()).unwrap();
            prop_assert_eq!(read, value);
            prop_assert_eq!(&rest[..], &bytes[..]);
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = unpack::<String>(&bytes.into());
        }
    }
}
