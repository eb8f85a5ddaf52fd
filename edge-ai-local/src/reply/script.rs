//! The order in which an answer's bytes, pauses and failures happen; pure, so that faults are tested without time.

use std::time::Duration;

use bytes::Bytes;

use super::Frame;
use crate::fault::Plan;
use crate::surface::Surface;

/// A step of sending a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Nothing more, and no end either.
    Silence,
    /// The connection is closed in the middle of the body.
    Abort,
}

/// Steps of a stream.
pub(crate) fn of_frames(
    frames: &[Frame],
    plan: &Plan,
    surface: Surface,
    pace: Option<Duration>,
) -> Vec<Step> {
    let mut steps = Vec::with_capacity(frames.len() + 1);
    for at in 0..=frames.len() {
        if plan.cut == Some(at) || (at == frames.len() && plan.cut.is_some()) {
            // Within the next one, where that shows.
            if let Some(next) = frames.get(at).filter(|next| next.is_binary()) {
                let next = next.encode();
                steps.push(Step::Send(next.slice(..next.len() / 2)));
            }
            steps.push(Step::Abort);
            return steps;
        }
        if plan.hang_after == Some(at) {
            steps.push(Step::Silence);
            return steps;
        }
        if plan.error_event == Some(at) {
            steps.push(Step::Send(
                surface.error_frame(frames.get(..at).unwrap_or_default()).encode(),
            ));
            return steps;
        }
        if plan.end == Some(at) {
            return steps;
        }
        let Some(frame) = frames.get(at) else { break };
        if let Some(wait) = plan.slow.or(pace) {
            steps.push(Step::Wait(wait));
        }
        let frame = if plan.malformed == Some(at + 1) {
            frame.malformed().encode()
        } else {
            frame.encode()
        };
        steps.push(Step::Send(frame));
    }
    steps
}

/// Steps of a body that is one piece: faults strike at its half.
pub(crate) fn of_whole(body: &Bytes, plan: &Plan) -> Vec<Step> {
    let half = Step::Send(body.slice(..body.len() / 2));
    if plan.cut.is_some() {
        vec![half, Step::Abort]
    } else if plan.hang_after.is_some() {
        vec![half, Step::Silence]
    } else if plan.malformed.is_some() || plan.end.is_some() {
        vec![half]
    } else {
        plan.slow
            .map(Step::Wait)
            .into_iter()
            .chain([Step::Send(body.clone())])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(spec: &str) -> Vec<Step> {
        let frames = [Frame::data("{\"n\":1}"), Frame::data("{\"n\":2}"), Frame::done()];
        of_frames(&frames, &spec.parse().unwrap(), Surface::OpenAi, None)
    }

    fn sent(steps: &[Step]) -> usize {
        steps.iter().filter(|step| matches!(step, Step::Send(_))).count()
    }

    #[test]
    fn without_faults_everything_is_sent() {
        assert_eq!(steps("latency=1ms").len(), 3);
    }

    #[test]
    fn each_fault_strikes_where_it_says() {
        assert_eq!(
            (sent(&steps("cut=2")), steps("cut=2").last()),
            (2, Some(&Step::Abort))
        );
        assert_eq!(steps("cut=0"), [Step::Abort]);
        assert_eq!(
            (sent(&steps("cut=99")), steps("cut=99").last()),
            (3, Some(&Step::Abort))
        );
        assert_eq!(
            (sent(&steps("hang-after=1")), steps("hang-after=1").last()),
            (1, Some(&Step::Silence))
        );
        assert_eq!((sent(&steps("end=1")), steps("end=1").len()), (1, 1));
        assert_eq!(steps("end=99").len(), 3);
        assert_eq!(steps("slow=5ms").len(), 6);
        let erring = steps("error-event=1");
        assert!(
            matches!(&erring[1], Step::Send(b) if b.starts_with(b"data: {\"error\"")) && erring.len() == 2
        );
        assert_ne!(steps("malformed=2")[1], steps("latency=0")[1]);
        assert_eq!(steps("malformed=2")[0], steps("latency=0")[0]);
    }

    #[test]
    fn a_whole_body_breaks_at_its_half() {
        let body = Bytes::from_static(b"{\"a\":1}");
        let of = |spec: &str| of_whole(&body, &spec.parse().unwrap());
        assert_eq!(of("cut=3"), [Step::Send(body.slice(..3)), Step::Abort]);
        assert_eq!(of("hang-after=0"), [Step::Send(body.slice(..3)), Step::Silence]);
        assert_eq!(of("malformed=1"), [Step::Send(body.slice(..3))]);
        assert_eq!(of("latency=0"), [Step::Send(body.clone())]);
    }
}
