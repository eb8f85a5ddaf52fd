/// The bounds of histograms of durations, in seconds, as
/// [the conventions](https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/) give them.
pub(crate) const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
