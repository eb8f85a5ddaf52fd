//! Embeddings by hashed features: words and character trigrams, signed, summed and L2-normalized.
//!
//! Texts that share words or spellings are near, unrelated texts are near orthogonal, and the same text
//! always has the same vector. There is no meaning beyond spelling in it.

use super::text::{is_stopword, stem, words};

const WORD: f32 = 1.0;
const STOPWORD: f32 = 0.15;
const TRIGRAM: f32 = 0.25;

/// Embeds a text in `dimensions` dimensions. Vectors of different `space`s (model, pooling) cannot be compared.
pub(crate) fn embed(text: &str, space: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    let seed = fnv(0xcbf2_9ce4_8422_2325, space.as_bytes());
    for word in words(text) {
        let weight = if is_stopword(&word) { STOPWORD } else { WORD };
        add(&mut vector, fnv(seed, stem(&word).as_bytes()), weight);
        let padded: Vec<char> = format!("^{word}$").chars().collect();
        for trigram in padded.windows(3) {
            let trigram: String = trigram.iter().collect();
            add(
                &mut vector,
                fnv(seed ^ 0x7472_6967, trigram.as_bytes()),
                weight * TRIGRAM,
            );
        }
    }
    normalize(&mut vector, seed, text);
    vector
}

/// Cosine of two texts' embeddings.
pub(crate) fn similarity(a: &str, b: &str) -> f32 {
    const DIMENSIONS: usize = 1024;
    let (a, b) = (
        embed(a, "similarity", DIMENSIONS),
        embed(b, "similarity", DIMENSIONS),
    );
    a.iter().zip(&b).map(|(x, y)| x * y).sum()
}

fn add(vector: &mut [f32], hash: u64, weight: f32) {
    let hash = mix(hash);
    let len = vector.len().max(1) as u64;
    if let Some(slot) = vector.get_mut((hash % len) as usize) {
        *slot += if hash >> 63 == 0 { weight } else { -weight };
    }
}

fn normalize(vector: &mut [f32], seed: u64, text: &str) {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x /= norm);
    } else {
        // A text without words still gets a direction of its own, never a zero vector.
        add(vector, fnv(seed, text.as_bytes()), 1.0);
    }
}

fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn similar_texts_are_nearer_than_unrelated_ones() {
        let e = |text| embed(text, "m", 384);
        let question = e("How do I reset my password?");
        let near = e("To reset your password, open settings.");
        let far = e("Our office is closed on public holidays.");
        assert!(cosine(&question, &near) > 0.4);
        assert!(cosine(&question, &near) > 2.0 * cosine(&question, &far).abs());
    }

    #[test]
    fn models_do_not_share_a_space() {
        let (a, b) = (embed("the same text", "a", 768), embed("the same text", "b", 768));
        assert!(cosine(&a, &b).abs() < 0.3);
    }

    proptest! {
        #[test]
        fn every_vector_is_a_unit_vector_and_repeats(text in "\\PC{0,80}", dimensions in 1_usize..1600) {
            let vector = embed(&text, "m", dimensions);
            prop_assert_eq!(vector.len(), dimensions);
            prop_assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-3);
            prop_assert_eq!(vector, embed(&text, "m", dimensions));
        }
    }
}
