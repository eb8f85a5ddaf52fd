/// Chooses `count` of the candidates: at each step the one with the best of `lambda * relevance - (1 - lambda) * similarity`, where the
/// similarity is the greatest to one already chosen. Gives their indexes in the order chosen; ties go to the earlier candidate.
///
/// Relevances are from 0 to 1. A candidate without a vector is like nothing.
pub(super) fn choose(relevance: &[f32], vectors: &[Option<&[f32]>], lambda: f32, count: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..relevance.len()).collect();
    let mut nearest = vec![0.0_f32; relevance.len()];
    let mut chosen = Vec::with_capacity(count.min(left.len()));
    while chosen.len() < count && !left.is_empty() {
        let value = |at: usize| {
            let relevance = relevance.get(at).copied().unwrap_or_default();
            lambda * relevance - (1.0 - lambda) * nearest.get(at).copied().unwrap_or_default()
        };
        let mut best = 0;
        for (place, at) in left.iter().enumerate() {
            let known = left.get(best).map_or(f32::NEG_INFINITY, |best| value(*best));
            if value(*at) > known {
                best = place;
            }
        }
        let next = left.remove(best);
        chosen.push(next);
        for at in &left {
            let similarity = similarity(vectors, next, *at);
            if let Some(known) = nearest.get_mut(*at) {
                *known = known.max(similarity);
            }
        }
    }
    chosen
}

fn similarity(vectors: &[Option<&[f32]>], a: usize, b: usize) -> f32 {
    let vector = |at: usize| vectors.get(at).copied().flatten();
    let (Some(a), Some(b)) = (vector(a), vector(b)) else {
        return 0.0;
    };
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt());
    if cosine.is_finite() { cosine } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_said_already_stands_back() {
        let (same, other): (&[f32], &[f32]) = (&[1.0, 0.0], &[0.0, 1.0]);
        let vectors = [Some(same), Some(same), Some(other)];
        assert_eq!(choose(&[1.0, 0.9, 0.5], &vectors, 0.5, 3), [0, 2, 1]);
        assert_eq!(choose(&[1.0, 0.9, 0.5], &vectors, 1.0, 3), [0, 1, 2]);
        assert_eq!(choose(&[1.0, 0.9, 0.5], &[None, None, None], 0.5, 2), [0, 1]);
    }

    proptest! {
        #[test]
        fn it_chooses_each_at_most_once(
            relevance in prop::collection::vec(0.0_f32..=1.0, 0..20),
            lambda in 0.0_f32..=1.0,
            count in 0_usize..25,
        ) {
            let vectors: Vec<Vec<f32>> = relevance.iter().map(|value| vec![*value, 1.0 - value]).collect();
            let vectors: Vec<Option<&[f32]>> = vectors.iter().map(|vector| Some(vector.as_slice())).collect();
            let chosen = choose(&relevance, &vectors, lambda, count);
            let unique: std::collections::BTreeSet<_> = chosen.iter().collect();
            prop_assert_eq!(chosen.len(), count.min(relevance.len()));
            prop_assert_eq!(unique.len(), chosen.len());
        }
    }
}
