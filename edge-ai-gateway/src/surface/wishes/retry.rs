use std::time::Duration;

use edge_ai_core::{Backoff, Error, Result, RetryWishes};
use http::HeaderMap;

/// Ten minutes, which is longer than anybody waits.
const MAX_TIMEOUT: u64 = 600_000;

/// What Cloudflare AI Gateway takes.
const MAX_ATTEMPTS: u64 = 5;
const MAX_DELAY: u64 = 5_000;

/// Reads how patient a client wants the gateway to be, in
/// [Cloudflare AI Gateway's words](https://developers.cloudflare.com/ai-gateway/configuration/request-handling/): `cf-aig-request-timeout`,
/// `cf-aig-max-attempts`, `cf-aig-retry-delay` and `cf-aig-backoff`.
///
/// # Errors
/// [`ErrorKind::InvalidRequest`](edge_ai_core::ErrorKind::InvalidRequest) for one that does not read, with what it takes.
pub(crate) fn retry_wishes(headers: &HeaderMap) -> Result<RetryWishes> {
    let mut wishes = RetryWishes::default();
    let millis = |value: Option<u64>| value.map(Duration::from_millis);
    wishes.timeout = millis(number(headers, "cf-aig-request-timeout", 1, MAX_TIMEOUT)?);
    wishes.attempts =
        number(headers, "cf-aig-max-attempts", 1, MAX_ATTEMPTS)?.and_then(|value| value.try_into().ok());
    wishes.delay = millis(number(headers, "cf-aig-retry-delay", 0, MAX_DELAY)?);
    wishes.backoff = match headers.get("cf-aig-backoff").map(|value| value.as_bytes()) {
        None => None,
        Some(b"constant") => Some(Backoff::Constant),
        Some(b"linear") => Some(Backoff::Linear),
        Some(b"exponential") => Some(Backoff::Exponential),
        Some(_) => {
            let message = "`cf-aig-backoff` is `constant`, `linear` or `exponential`";
            return Err(Error::invalid("cf-aig-backoff", message));
        }
    };
    Ok(wishes)
}

fn number(headers: &HeaderMap, name: &'static str, from: u64, to: u64) -> Result<Option<u64>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    match number.filter(|number| (from..=to).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(Error::invalid(
            name,
            format!("`{name}` is a whole number from {from} to {to}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &'static str) -> Result<RetryWishes> {
        retry_wishes(&HeaderMap::from_iter([(
            name.parse().unwrap(),
            value.parse().unwrap(),
        )]))
    }

    #[test]
    fn wishes_are_read_within_bounds() {
        assert_eq!(
            read("cf-aig-request-timeout", "1500").unwrap().timeout,
            Some(Duration::from_millis(1_500))
        );
        assert_eq!(read("cf-aig-max-attempts", "5").unwrap().attempts, Some(5));
        assert_eq!(
            read("cf-aig-retry-delay", "0").unwrap().delay,
            Some(Duration::ZERO)
        );
        assert_eq!(
            read("cf-aig-backoff", "linear").unwrap().backoff,
            Some(Backoff::Linear)
        );
        assert_eq!(read("x-other", "5").unwrap(), RetryWishes::default());
        for (name, value) in [
            ("cf-aig-request-timeout", "0"),
            ("cf-aig-request-timeout", "soon"),
            ("cf-aig-max-attempts", "6"),
            ("cf-aig-max-attempts", "-1"),
            ("cf-aig-retry-delay", "5001"),
            ("cf-aig-backoff", "Linear"),
        ] {
            assert_eq!(
                read(name, value).unwrap_err().param(),
                Some(name),
                "{name}: {value}"
            );
        }
    }
}
