use edge_ai_core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What an object keeps, by name. What is written in one go is kept whole or not at all.
pub(crate) trait Storage: Sync {
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;
    fn put(&self, name: &str, value: &[u8]) -> Result<()>;
    /// Those whose names begin with `prefix` and come after `after`, in the order of names.
    fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>>;
    /// Forgets those whose names begin with `prefix`.
    fn delete(&self, prefix: &str) -> Result<()>;
}

/// A value of a Durable Object has at most 2 MB
/// (<https://developers.cloudflare.com/durable-objects/platform/limits/>): what is larger is kept in pieces of half of it.
const PIECE: usize = 1 << 20;

/// Keeps bytes of any length.
pub(crate) fn put_blob(storage: &dyn Storage, name: &str, bytes: &[u8]) -> Result<()> {
    storage.delete(&format!("{name}/"))?;
    for (at, piece) in bytes.chunks(PIECE).enumerate() {
        storage.put(&format!("{name}/{at:06}"), piece)?;
    }
    Ok(())
}

/// The bytes that [`put_blob`] has kept.
pub(crate) fn get_blob(storage: &dyn Storage, name: &str) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    let mut at = 0;
    while let Some(piece) = storage.get(&format!("{name}/{at:06}"))? {
        whole.extend_from_slice(&piece);
        at += 1;
    }
    Ok(whole)
}

/// Reads a value that [`put_json`] has kept.
pub(crate) fn get_json<T: DeserializeOwned>(storage: &dyn Storage, name: &str) -> Result<Option<T>> {
    storage.get(name)?.map(|json| read_json(&json)).transpose()
}

/// Keeps a value as JSON.
pub(crate) fn put_json<T: Serialize>(storage: &dyn Storage, name: &str, value: &T) -> Result<()> {
    storage.put(name, &write_json(value)?)
}

pub(crate) fn read_json<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| {
        Error::new(ErrorKind::Internal, "what is kept of a job does not read").with_source(error)
    })
}

pub(crate) fn write_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|error| Error::new(ErrorKind::Internal, "a job cannot be written").with_source(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::local::Memory;

    #[test]
    fn what_is_large_is_kept_in_pieces() {
        let memory = Memory::default();
        let bytes: Vec<u8> = (0..PIECE * 2 + 3).map(|at| at as u8).collect();
        put_blob(&memory, "answer", &bytes).unwrap();
        assert_eq!(get_blob(&memory, "answer").unwrap(), bytes);
        assert_eq!(memory.list("answer/", "", 9).unwrap().len(), 3);
        put_blob(&memory, "answer", b"x").unwrap();
        assert_eq!(get_blob(&memory, "answer").unwrap(), b"x");
        assert_eq!(get_blob(&memory, "nothing").unwrap(), b"");
    }
}
