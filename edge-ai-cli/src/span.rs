use std::str::FromStr;

/// A time as people write it: `30s`, `15m`, `24h`, `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) seconds: u64,
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a time such as 30s, 15m, 24h or 90d");
        let (number, unit) = text
            .split_at_checked(text.len().saturating_sub(1))
            .ok_or_else(wrong)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let seconds = number.checked_mul(unit).filter(|seconds| *seconds < 1 << 40);
        seconds.map(|seconds| Self { seconds }).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!("24h".parse(), Ok(Span { seconds: 86_400 }));
        assert_eq!("0s".parse(), Ok(Span { seconds: 0 }));
        for bad in ["", "h", "24", "-1d", "1w", "24é", "99999999999999999999d"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
