//! A fault's specification, such as `latency=300ms, cut=4`.

use std::str::FromStr;
use std::time::Duration;

use crate::surface::Surface;

/// Longest wait that can be asked for.
const LONGEST: Duration = Duration::from_secs(600);

/// What happens to one answer; the default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plan {
    /// The specification as it was written; empty for no fault.
    pub(crate) spec: String,
    /// Wait before answering.
    pub(crate) latency: Option<Duration>,
    /// Answer with this status and the service's error for it.
    pub(crate) status: Option<u16>,
    /// The service's own code for that error, in place of the usual one for the status.
    pub(crate) code: Option<String>,
    /// Seconds for the header `retry-after`.
    pub(crate) retry_after: Option<u64>,
    /// Milliseconds for the header `retry-after-ms`.
    pub(crate) retry_after_ms: Option<u64>,
    /// Never answer, not even with headers.
    pub(crate) hang: bool,
    /// Answer with something else.
    pub(crate) instead: Option<Instead>,
    /// Frames before silence.
    pub(crate) hang_after: Option<usize>,
    /// Frames before the connection is cut.
    pub(crate) cut: Option<usize>,
    /// Frames before a clean end without the end mark.
    pub(crate) end: Option<usize>,
    /// Frame, counted from 1, that is not JSON.
    pub(crate) malformed: Option<usize>,
    /// Frames before an error event ends the stream.
    pub(crate) error_event: Option<usize>,
    /// Wait before each frame.
    pub(crate) slow: Option<Duration>,
    /// Strike on this surface only.
    pub(crate) only: Option<Surface>,
    /// Strike this often only, counted per specification and text.
    pub(crate) times: Option<u64>,
}

/// A 200 that is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instead {
    /// No body.
    Empty,
    /// An HTML page, as from a proxy in between.
    WrongType,
    /// JSON of another shape.
    WrongShape,
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(spec: &str) -> Result<Self, String> {
        let mut plan = Self {
            spec: spec.trim().to_owned(),
            ..Self::default()
        };
        for term in spec.split(',').map(str::trim).filter(|term| !term.is_empty()) {
            let (name, value) = term
                .split_once('=')
                .map_or((term, ""), |(name, value)| (name.trim(), value.trim()));
            match name {
                "latency" => plan.latency = Some(duration(term, value)?),
                "slow" => plan.slow = Some(duration(term, value)?),
                "status" => {
                    let status = number::<u16>(term, value)?;
                    if !(200..=599).contains(&status) {
                        return Err(format!("fault `{term}`: a status is between 200 and 599"));
                    }
                    plan.status = Some(status);
                }
                "code" if value.is_empty() => {
                    return Err(format!(
                        "fault `{term}`: a code such as insufficient_quota or 3036"
                    ));
                }
                "code" => plan.code = Some(value.to_owned()),
                "retry-after" => plan.retry_after = Some(number(term, value)?),
                "retry-after-ms" => plan.retry_after_ms = Some(number(term, value)?),
                "hang" => plan.hang = true,
                "empty" => plan.instead = Some(Instead::Empty),
                "wrong-type" => plan.instead = Some(Instead::WrongType),
                "wrong-shape" => plan.instead = Some(Instead::WrongShape),
                "hang-after" => plan.hang_after = Some(number(term, value)?),
                "cut" => plan.cut = Some(number(term, value)?),
                "end" => plan.end = Some(number(term, value)?),
                "malformed" => plan.malformed = Some(number(term, value)?),
                "error-event" => plan.error_event = Some(number(term, value)?),
                "times" => plan.times = Some(number(term, value)?),
                "only" => {
                    let surface = Surface::from_name(value);
                    plan.only = Some(surface.ok_or_else(|| {
                        format!(
                            "fault `{term}`: a surface is openai, anthropic, workers-ai, vectorize, rerank or bedrock"
                        )
                    })?);
                }
                _ => return Err(format!("unknown fault `{term}`")),
            }
        }
        if plan.spec.is_empty() {
            return Err("a fault needs a specification, such as `status=429, retry-after=2`".into());
        }
        Ok(plan)
    }
}

fn number<N: FromStr>(term: &str, value: &str) -> Result<N, String> {
    value
        .parse()
        .map_err(|_| format!("fault `{term}`: `{value}` is not a number"))
}

/// Reads `300ms`, `2s`, `1.5s`, or plain milliseconds.
fn duration(term: &str, value: &str) -> Result<Duration, String> {
    let wrong = || format!("fault `{term}`: `{value}` is not a duration such as 300ms or 2s");
    let (digits, seconds) = match (value.strip_suffix("ms"), value.strip_suffix('s')) {
        (Some(ms), _) => (ms, 1e-3),
        (None, Some(s)) => (s, 1.0),
        (None, None) => (value, 1e-3),
    };
    let amount: f64 = digits.trim().parse().map_err(|_| wrong())?;
    let wait = Duration::try_from_secs_f64(amount * seconds).map_err(|_| wrong())?;
    Ok(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_term_is_read() {
        let plan: Plan =
            "latency=300ms, status=429, code=3036, retry-after=2, retry-after-ms=700, hang, hang-after=1, cut=2, \
                          end=3, malformed=4, error-event=5, slow=0.05s, empty, only=anthropic, times=2"
                .parse()
                .unwrap();
        assert_eq!(
            (plan.latency, plan.slow),
            (Some(Duration::from_millis(300)), Some(Duration::from_millis(50)))
        );
        assert_eq!(
            (plan.status, plan.retry_after, plan.retry_after_ms),
            (Some(429), Some(2), Some(700))
        );
        assert_eq!(plan.code.as_deref(), Some("3036"));
        assert_eq!((plan.hang_after, plan.cut, plan.end), (Some(1), Some(2), Some(3)));
        assert_eq!(
            (plan.malformed, plan.error_event, plan.times),
            (Some(4), Some(5), Some(2))
        );
        assert_eq!(
            (plan.hang, plan.instead, plan.only),
            (true, Some(Instead::Empty), Some(Surface::Anthropic))
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (bad, part) in [
            ("", "specification"),
            ("sttus=1", "sttus"),
            ("status=99", "between"),
            ("cut=x", "`x`"),
        ] {
            assert!(bad.parse::<Plan>().unwrap_err().contains(part), "{bad}");
        }
        assert!("latency=-1s".parse::<Plan>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(spec in "\\PC{0,60}") {
            let _ = spec.parse::<Plan>();
        }
    }
}
