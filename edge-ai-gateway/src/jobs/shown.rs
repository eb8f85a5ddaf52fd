use serde_json::{Value, json};

use super::record::Record;
use super::state::Status;
use crate::usage::civil;

/// A job as its owner sees it.
pub(crate) fn shown(record: &Record) -> Value {
    let Record {
        id,
        ticket,
        model,
        policy,
        job,
        answer,
        hook,
    } = record;
    let seconds = |millis: u64| millis / 1_000;
    let failure = job.failure.as_ref();
    // The failure of an attempt that is made again is no failure of the job.
    let error = failure.map(
        |failure| json!({ "code": failure.code, "message": failure.message, "retryable": failure.retryable }),
    );
    let (error, last_error) = match job.status {
        Status::Failed => (error, None),
        _ => (None, error),
    };
    let has_result = match job.status {
        Status::Completed => true,
        Status::Failed => answer.is_some(),
        _ => false,
    };
    json!({
        "id": id,
        "object": "job",
        "status": job.status,
        "endpoint": ticket.path,
        "model": model,
        "created_at": seconds(job.created_ms),
        "started_at": job.started_ms.map(seconds),
        "finished_at": job.finished_ms.map(seconds),
        "expires_at": seconds(job.finished_ms.unwrap_or(job.created_ms.saturating_add(policy.max_age_ms)).saturating_add(policy.keep_ms)),
        "progress": {
            "attempts": job.attempts,
            "max_attempts": policy.max_attempts,
            "lost_attempts": job.lost,
            "output_tokens": job.output_tokens,
            "last_error": last_error,
        },
        // Nobody works on it again by itself; request and reason are kept.
        "dead_letter": job.status == Status::Failed && failure.is_some_and(|failure| failure.retryable || failure.code == "job_expired"),
        "error": error,
        "status_code": answer.as_ref().filter(|_| has_result).map(|answer| answer.status),
        "result": has_result.then(|| format!("/v1/jobs/{id}/result")),
        "webhook": hook.as_ref().map(|hook| json!({
            "url": hook.url,
            "attempts": hook.attempts,
            "delivered_at": hook.delivered_ms.map(seconds),
            "next_attempt_at": hook.next_ms().map(seconds),
            "error": hook.error,
        })),
    })
}

/// A time as [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) writes it.
pub(crate) fn rfc3339(millis: u64) -> String {
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        rest % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_123), "2000-02-29T00:00:00.123Z");
        assert_eq!(rfc3339(1_674_087_231_000), "2023-01-19T00:13:51.000Z");
    }
}
