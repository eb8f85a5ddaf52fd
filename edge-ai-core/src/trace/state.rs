/// The most members, and the most bytes that are passed on
/// ([limits](https://www.w3.org/TR/trace-context-2/#tracestate-limits)).
const MAX_MEMBERS: usize = 32;
const MAX_BYTES: usize = 512;

/// A `tracestate` by [the standard's rules](https://www.w3.org/TR/trace-context-2/#tracestate-header), without what may be left out; `None`
/// for one that breaks them or is empty.
pub(super) fn checked(tracestate: &str) -> Option<String> {
    let mut keys: Vec<&str> = Vec::new();
    let mut kept = String::new();
    for member in tracestate
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']))
    {
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        if !is_key(key) || !is_value(value) || keys.contains(&key) || keys.len() == MAX_MEMBERS {
            return None;
        }
        keys.push(key);
        // Members at the end are the oldest: they may go when there are too many bytes.
        if kept.len() + member.len() < MAX_BYTES {
            if !kept.is_empty() {
                kept.push(',');
            }
            kept.push_str(member);
        }
    }
    (!kept.is_empty()).then_some(kept)
}

fn is_key(key: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let other = |byte: u8| first(byte) || b"_-*/@".contains(&byte);
    key.len() <= 256
        && key.bytes().next().is_some_and(first)
        && key.bytes().all(other)
        && key.bytes().filter(|byte| *byte == b'@').count() <= 1
}

fn is_value(value: &str) -> bool {
    let allowed = |byte: u8| (0x20..=0x7e).contains(&byte) && !b",=".contains(&byte);
    (1..=256).contains(&value.len()) && value.bytes().all(allowed) && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_are_checked_and_spaces_left_out() {
        assert_eq!(
            checked("rojo=00f0,  congo=t61 \t,").as_deref(),
            Some("rojo=00f0,congo=t61")
        );
        assert_eq!(checked("fw529a3039@dt=a b").as_deref(), Some("fw529a3039@dt=a b"));
        let many: Vec<String> = (0..33).map(|at| format!("k{at}=v")).collect();
        for wrong in [
            "",
            ",",
            "a",
            "a=",
            "A=1",
            "a=1,a=2",
            "=1",
            "a=b=c",
            "a@b@c=1",
            &many.join(","),
        ] {
            assert_eq!(checked(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_short_and_reads_the_same(text in "([a-z][a-z0-9_]{0,40}=[!-+.-<>-~]{1,60},){0,20}") {
            if let Some(kept) = checked(&text) {
                prop_assert!(kept.len() <= MAX_BYTES);
                prop_assert_eq!(checked(&kept), Some(kept));
            }
        }
    }
}
