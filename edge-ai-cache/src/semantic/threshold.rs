use serde::{Deserialize, Serialize};

/// From which similarity on an entry answers, learned for each entry from what turned out right and wrong.
///
/// How near a question must be for the same answer to be right differs from entry to entry, so that no one threshold holds an error rate:
/// the finding of vCache (Schroeder et al., <https://arxiv.org/abs/2502.03771>). As there, an entry's chance to be right rises with the
/// similarity `s` along a logistic curve about a point of its own, 1 / (1 + exp(−γ (s − t))), and it answers only where the expected
/// error stays within the rate that is wished. Here `t` has a normal prior, which is placed so that an entry of which nothing is known
/// answers from [`start`](Self::start) on; the posterior is taken over a grid, without sampling. Where an entry was wrong, and below, it does not
/// answer again while that is among its latest observations. The rate holds on average over entries,
/// as far as the prior is true of one's questions; it is no bound for one entry.
///
/// ```
/// use edge_ai_cache::{Evidence, Threshold};
///
/// let threshold = Threshold::new(0.85, 0.01);
/// let mut evidence = Evidence::default();
/// assert!(threshold.accepts(0.86, &evidence) && !threshold.accepts(0.84, &evidence));
/// evidence.note(0.9, false);
/// assert!(!threshold.accepts(0.9, &evidence));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    start: f32,
    error_rate: f32,
    /// Where the prior of `t` has its middle.
    middle: f64,
}

/// How steep the curve is: from 5 % to 95 % right within a tenth of similarity.
const STEEPNESS: f64 = 60.0;

/// The spread of `t` among entries.
const SPREAD: f64 = 0.04;

/// The grid: so many steps to either side of the middle.
const STEPS: i32 = 20;
const STEP: f64 = 0.01;

/// Observations that an entry keeps: the latest.
const KEPT: usize = 32;

/// What turned out right and wrong about an entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence(Vec<(f32, bool)>);

impl Evidence {
    /// Notes that the entry's answer was right or wrong for a question at a similarity.
    pub fn note(&mut self, similarity: f32, right: bool) {
        if self.0.len() >= KEPT {
            self.0.remove(0);
        }
        self.0.push((similarity, right));
    }

    /// How many observations there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Threshold {
    /// A threshold that begins at `start`, a cosine, and holds `error_rate`, a share of wrong answers from 0.0001 to 0.5.
    pub fn new(start: f32, error_rate: f32) -> Self {
        let error_rate = error_rate.clamp(0.000_1, 0.5);
        let none = Evidence::default();
        // The error falls with the distance from the middle: halve the interval until it is the wished one.
        let (mut near, mut far) = (-1.0, 1.0);
        for _ in 0..40 {
            let distance = f64::midpoint(near, far);
            if expected_error(distance, 0.0, &none) > f64::from(error_rate) {
                near = distance;
            } else {
                far = distance;
            }
        }
        Self {
            start,
            error_rate,
            middle: f64::from(start) - far,
        }
    }

    /// From where an entry answers of which nothing is known.
    pub const fn start(&self) -> f32 {
        self.start
    }

    /// The share of wrong answers that is held.
    pub const fn error_rate(&self) -> f32 {
        self.error_rate
    }

    /// Whether an entry may answer a question at a similarity.
    pub fn accepts(&self, similarity: f32, evidence: &Evidence) -> bool {
        if evidence.is_empty() {
            return similarity >= self.start;
        }
        let was_wrong = evidence
            .0
            .iter()
            .any(|(seen, right)| !right && similarity <= *seen);
        !was_wrong
            && expected_error(f64::from(similarity), self.middle, evidence) <= f64::from(self.error_rate)
    }

    /// The least similarity at which any evidence could let an entry answer: nothing below needs a look.
    pub fn floor(&self) -> f32 {
        self.start - 0.1
    }
}

/// The chance of a wrong answer at a similarity, over what `t` may be.
fn expected_error(similarity: f64, middle: f64, evidence: &Evidence) -> f64 {
    let (mut weight, mut wrong) = (0.0, 0.0);
    for step in -STEPS..=STEPS {
        let offset = f64::from(step) * STEP;
        let point = middle + offset;
        let mut log = -offset * offset / (2.0 * SPREAD * SPREAD);
        for (seen, right) in &evidence.0 {
            let share = right_at(f64::from(*seen), point);
            log += if *right { share } else { 1.0 - share }.max(1e-12).ln();
        }
        let likely = log.exp();
        weight += likely;
        wrong += likely * (1.0 - right_at(similarity, point));
    }
    if weight > 0.0 { wrong / weight } else { 1.0 }
}

fn right_at(similarity: f64, point: f64) -> f64 {
    1.0 / (1.0 + (-STEEPNESS * (similarity - point)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn from(threshold: &Threshold, evidence: &Evidence) -> f32 {
        let steps = (700_u16..=1_100).map(|step| f32::from(step) / 1_000.0);
        steps
            .into_iter()
            .find(|at| threshold.accepts(*at, evidence))
            .unwrap_or(2.0)
    }

    #[test]
    fn what_is_wrong_raises_it_and_what_is_right_lowers_it() {
        let threshold = Threshold::new(0.85, 0.01);
        let mut wrong = Evidence::default();
        wrong.note(0.88, false);
        assert!(from(&threshold, &wrong) > 0.88);
        let mut right = Evidence::default();
        for _ in 0..10 {
            right.note(0.8, true);
        }
        let lowered = from(&threshold, &right);
        assert!(lowered < 0.85 && lowered >= threshold.floor(), "{lowered}");
        right.note(0.84, false);
        assert!(from(&threshold, &right) > lowered);
    }

    #[test]
    fn over_many_entries_the_error_stays_within_the_rate() {
        // Entries whose points follow the prior, and questions at all similarities; every third answer is judged.
        let threshold = Threshold::new(0.85, 0.02);
        let mut state = 7_u64;
        let mut uniform = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let (mut answered, mut wrong) = (0_u32, 0_u32);
        for _ in 0..400 {
            let normal: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            let point = threshold.middle + normal * SPREAD;
            let mut evidence = Evidence::default();
            for _ in 0..30 {
                let similarity = 0.7 + 0.3 * uniform();
                let right = uniform() < right_at(similarity, point);
                if threshold.accepts(similarity as f32, &evidence) {
                    answered += 1;
                    wrong += u32::from(!right);
                    if uniform() < 0.33 {
                        evidence.note(similarity as f32, right);
                    }
                }
            }
        }
        let rate = f64::from(wrong) / f64::from(answered);
        assert!(answered > 4_000 && rate < 0.02, "{wrong} of {answered} wrong");
    }

    proptest! {
        #[test]
        fn one_more_wrong_never_makes_it_bolder(
            seen in prop::collection::vec((0.7_f32..1.0, any::<bool>()), 0..12), at in 0.7_f32..1.0, asked in 0.7_f32..1.0,
        ) {
            let threshold = Threshold::new(0.85, 0.01);
            let mut evidence = Evidence::default();
            for (similarity, right) in seen {
                evidence.note(similarity, right);
            }
            // The first observation changes from the start's sharp edge to the curve, which rounds it by a hair.
            prop_assume!(!evidence.is_empty());
            let before = threshold.accepts(asked, &evidence);
            evidence.note(at, false);
            prop_assert!(before || !threshold.accepts(asked, &evidence));
        }
    }
}
