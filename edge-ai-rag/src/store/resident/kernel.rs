//! The arithmetic of a scan.

use edge_ai_core::Metric;

/// Sums that run side by side: four vectors of four lanes, enough to hide the latency of an addition on every target.
const LANES: usize = 16;

/// A query made ready for many vectors. It ranks by a *distance* that is cheap to compute and lower for what is nearer, whatever the
/// metric, and turns it into the metric's score for the few that are returned.
#[derive(Debug)]
pub(super) struct Query<'a> {
    metric: Metric,
    vector: &'a [f32],
    inverse_norm: f32,
}

impl<'a> Query<'a> {
    pub(super) fn new(metric: Metric, vector: &'a [f32]) -> Self {
        Self {
            metric,
            vector,
            inverse_norm: inverse_norm(vector),
        }
    }

    /// How far `values` is: never NaN.
    pub(super) fn distance(&self, values: &[f32], inverse_norm: f32) -> f32 {
        let distance = match self.metric {
            Metric::Cosine => -(dot(self.vector, values) * inverse_norm * self.inverse_norm).clamp(-1.0, 1.0),
            Metric::Euclidean => squared_distance(self.vector, values),
            _ => -dot(self.vector, values),
        };
        if distance.is_finite() {
            distance
        } else {
            self.distance_of_large(values)
        }
    }

    /// The score that the metric gives to a distance.
    pub(super) fn score(&self, distance: f32) -> f32 {
        match self.metric {
            Metric::Cosine => -distance,
            Metric::Euclidean => distance.sqrt(),
            _ => distance,
        }
    }

    /// The same where 32 bits overflow on the way; what overflows in the end stays at the largest number.
    #[cold]
    fn distance_of_large(&self, values: &[f32]) -> f32 {
        let pairs = || {
            self.vector
                .iter()
                .zip(values)
                .map(|(a, b)| (f64::from(*a), f64::from(*b)))
        };
        let dot = || pairs().map(|(a, b)| a * b).sum::<f64>();
        let distance = match self.metric {
            Metric::Cosine => {
                let norms = norm(self.vector) * norm(values);
                if norms > 0.0 {
                    -(dot() / norms).clamp(-1.0, 1.0)
                } else {
                    0.0
                }
            }
            Metric::Euclidean => pairs().map(|(a, b)| (a - b) * (a - b)).sum(),
            _ => -dot(),
        };
        distance.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
    }
}

/// One divided by the length; zero for a vector of zeros, which is at a right angle to everything.
pub(super) fn inverse_norm(values: &[f32]) -> f32 {
    let norm = norm(values);
    if norm > 0.0 { (1.0 / norm) as f32 } else { 0.0 }
}

fn norm(values: &[f32]) -> f64 {
    values
        .iter()
        .map(|value| f64::from(*value) * f64::from(*value))
        .sum::<f64>()
        .sqrt()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_of(a, b, lanes::dot, |a, b| a * b)
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    sum_of(a, b, lanes::squared_distance, |a, b| (a - b) * (a - b))
}

/// Adds up `term` over both vectors, sixteen lanes at a time.
#[inline(always)]
fn sum_of(
    a: &[f32],
    b: &[f32],
    lanes: impl Fn(&[[f32; LANES]], &[[f32; LANES]]) -> f32,
    term: impl Fn(f32, f32) -> f32,
) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b)).sum();
    lanes(a, b) + rest
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::simd as lanes;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod lanes {
    use super::LANES;

    pub(super) fn dot(a: &[[f32; LANES]], b: &[[f32; LANES]]) -> f32 {
        sum(a, b, |a, b| a * b)
    }

    pub(super) fn squared_distance(a: &[[f32; LANES]], b: &[[f32; LANES]]) -> f32 {
        sum(a, b, |a, b| (a - b) * (a - b))
    }

    /// Floating-point addition may not be reordered, so a compiler cannot use SIMD for one running sum; it can for sixteen.
    #[inline(always)]
    fn sum(a: &[[f32; LANES]], b: &[[f32; LANES]], term: impl Fn(f32, f32) -> f32) -> f32 {
        let mut sums = [0.0_f32; LANES];
        for (a, b) in a.iter().zip(b) {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum += term(*a, *b);
            }
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Euclidean, Metric::DotProduct];

    /// By the definition, in 64 bits.
    fn definition(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
        let pairs = || a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
        let dot: f64 = pairs().map(|(a, b)| a * b).sum();
        match metric {
            Metric::Cosine if norm(a) * norm(b) == 0.0 => 0.0,
            Metric::Cosine => dot / (norm(a) * norm(b)),
            Metric::Euclidean => pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
            _ => -dot,
        }
    }

    fn score(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
        let query = Query::new(metric, a);
        query.score(query.distance(b, inverse_norm(b)))
    }

    fn vectors() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        // Lengths around the number of lanes: no rest, only rest, both.
        (0_usize..70).prop_flat_map(|length| {
            let vector = || prop::collection::vec(-10.0_f32..10.0, length);
            (vector(), vector())
        })
    }

    proptest! {
        #[test]
        fn scores_are_those_of_the_definition((a, b) in vectors()) {
            for metric in METRICS {
                let (score, expected) = (f64::from(score(metric, &a, &b)), definition(metric, &a, &b));
                prop_assert!((score - expected).abs() <= 1e-3 * (1.0 + expected.abs()), "{metric:?}: {score} is not {expected}");
            }
        }

        #[test]
        fn no_finite_vector_scores_nan(a in prop::collection::vec(prop::num::f32::NORMAL | prop::num::f32::ZERO, 20), at in 0_usize..20) {
            let mut b = a.clone();
            b.swap(0, at);
            for metric in METRICS {
                prop_assert!(score(metric, &a, &b).is_finite());
            }
        }
    }

    #[test]
    fn a_vector_of_zeros_is_at_a_right_angle_to_all() {
        assert_eq!(score(Metric::Cosine, &[0.0, 0.0], &[1.0, 2.0]), 0.0);
        assert_eq!(score(Metric::Cosine, &[1.0, 2.0], &[0.0, 0.0]), 0.0);
    }
}
