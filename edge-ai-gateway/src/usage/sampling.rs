use edge_ai_core::{Entropy, TraceContext};

/// Which of the traces that begin here are kept; a client's own says so itself (OpenTelemetry's `parentbased_traceidratio`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sampling {
    /// Traces are kept whose low 63 bits are below it.
    below: u64,
}

const ALL: u64 = 1 << 63;

impl Default for Sampling {
    /// All of them.
    fn default() -> Self {
        Self { below: ALL }
    }
}

impl Sampling {
    /// A share from 0 to 1 of them; what is no number counts as 1.
    pub(crate) fn ratio(ratio: f64) -> Self {
        if ratio.is_nan() {
            return Self::default();
        }
        Self {
            below: (ratio.clamp(0.0, 1.0) * ALL as f64) as u64,
        }
    }

    /// Begins a trace.
    pub(crate) fn root(self, entropy: &dyn Entropy) -> TraceContext {
        let mut trace = TraceContext::root(entropy, true);
        if trace.trace_id.low() >> 1 >= self.below {
            trace.flags &= !1;
        }
        trace
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::SeededEntropy;

    #[test]
    fn about_the_share_that_was_asked_for_is_kept() {
        let entropy = SeededEntropy::new(3);
        let kept = |ratio| {
            let sampling = Sampling::ratio(ratio);
            (0..10_000)
                .filter(|_| sampling.root(&entropy).is_sampled())
                .count()
        };
        assert_eq!(kept(0.0), 0);
        assert_eq!(kept(1.0), 10_000);
        assert_eq!(kept(f64::NAN), 10_000);
        let quarter = kept(0.25);
        assert!((2_300..2_700).contains(&quarter), "{quarter}");
    }
}
