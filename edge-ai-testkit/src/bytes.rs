//! Bytes cut into pieces, as a network cuts them.

use edge_ai_core::{Body, Bytes, Result};
use futures_util::stream::{self, Stream};

/// Every way to cut `bytes` in two, the empty first and last piece included.
///
/// ```
/// use edge_ai_testkit::bytes::cut_in_two;
///
/// let cuts: Vec<_> = cut_in_two("ab").map(|pieces| pieces.map(|piece| piece.to_vec())).collect();
/// assert_eq!(cuts, [[b"".to_vec(), b"ab".to_vec()], [b"a".to_vec(), b"b".to_vec()], [b"ab".to_vec(), b"".to_vec()]]);
/// ```
pub fn cut_in_two(bytes: impl Into<Bytes>) -> impl Iterator<Item = [Bytes; 2]> {
    let bytes = bytes.into();
    (0..=bytes.len()).map(move |at| [bytes.slice(..at), bytes.slice(at..)])
}

/// Pieces of `length` bytes, the last one shorter; of one byte for a `length` of zero.
pub fn cut_every(bytes: impl Into<Bytes>, length: usize) -> Vec<Bytes> {
    let bytes = bytes.into();
    let length = length.max(1);
    (0..bytes.len())
        .step_by(length)
        .map(|at| bytes.slice(at..bytes.len().min(at + length)))
        .collect()
}

/// Pieces that end at these positions, in any order; positions past the end are left out.
pub fn cut_at(bytes: impl Into<Bytes>, positions: &[usize]) -> Vec<Bytes> {
    let bytes = bytes.into();
    let mut positions: Vec<_> = positions.iter().copied().filter(|at| *at < bytes.len()).collect();
    positions.push(bytes.len());
    positions.sort_unstable();
    let mut from = 0;
    let cut = |to| {
        let piece = bytes.slice(from..to);
        from = to;
        piece
    };
    positions.into_iter().map(cut).collect()
}

/// Pieces as a stream that arrives well.
pub fn stream_of(
    pieces: impl IntoIterator<Item = Bytes>,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    stream::iter(pieces.into_iter().map(Ok).collect::<Vec<_>>())
}

/// Pieces as a body that arrives well.
pub fn body_of(pieces: impl IntoIterator<Item = Bytes>) -> Body {
    Body::from_stream(stream_of(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_the_whole(bytes: Vec<u8>, length in 0_usize..9, positions: Vec<u8>) {
            let positions: Vec<_> = positions.into_iter().map(usize::from).collect();
            let whole = |pieces: &[Bytes]| pieces.concat();
            prop_assert_eq!(whole(&cut_every(bytes.clone(), length)), bytes.clone());
            prop_assert_eq!(whole(&cut_at(bytes.clone(), &positions)), bytes.clone());
            for pieces in cut_in_two(bytes.clone()) {
                prop_assert_eq!(whole(&pieces), bytes.clone());
            }
        }
    }
}
