/// The prefixes that vendors' dialects give the ids of answers.
const PREFIXES: [&str; 3] = [CHAT, "msg_", "resp_"];

const CHAT: &str = "chatcmpl-";

/// The id of an answer as a client of a dialect knows ids: with the dialect's `prefix` in the place of another's. What follows it is the
/// vendor's own, so that both find the answer in their logs. `instead` stands in for an answer without one.
///
/// Chat completions have ids of every form, by the many servers that speak the dialect: one of no other dialect's form stays as it is there.
pub(crate) fn shown_id(prefix: &str, id: &str, instead: &str) -> String {
    if id.is_empty() {
        return instead.to_owned();
    }
    match PREFIXES.iter().find_map(|known| id.strip_prefix(known)) {
        Some(own) => format!("{prefix}{own}"),
        None if prefix == CHAT => id.to_owned(),
        None => format!("{prefix}{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_the_prefix_of_the_clients_dialect() {
        for (prefix, id, expect) in [
            ("msg_", "chatcmpl-1", "msg_1"),
            ("msg_", "msg_1", "msg_1"),
            ("chatcmpl-", "resp_a_b", "chatcmpl-a_b"),
            ("resp_", "0196-uuid", "resp_0196-uuid"),
            ("chatcmpl-", "gen-1", "gen-1"),
            ("resp_", "", "resp_ours"),
        ] {
            assert_eq!(shown_id(prefix, id, "resp_ours"), expect);
        }
    }
}
