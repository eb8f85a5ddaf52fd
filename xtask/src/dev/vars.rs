//! Variables of the Worker, and the upstreams it gets when it is given none.

use std::path::Path;
use std::str::FromStr;

/// `KEY=VALUE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Var {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Var {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!("KEY=VALUE is expected, as in --var {text}=value"));
        };
        let mut characters = key.chars();
        let starts_well = characters
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        if !starts_well || !characters.all(|other| other.is_ascii_alphanumeric() || other == '_') {
            return Err(format!(
                "`{key}` is no name for a variable: letters, digits and _, not starting with a digit"
            ));
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// The names that the developer set in files beside the Worker's configuration, as wrangler finds them.
pub(crate) fn configured(worker: &Path) -> Vec<String> {
    let read = |file: &str| std::fs::read_to_string(worker.join(file)).ok();
    // wrangler reads the others only where there is no `.dev.vars`.
    let text =
        read(".dev.vars").unwrap_or_else(|| [".env", ".env.local"].into_iter().filter_map(read).collect());
    text.lines()
        .filter_map(|line| Some(line.trim().parse::<Var>().ok()?.key))
        .collect()
}

/// `vars`, and the stand-in as the upstream of each vendor that neither `vars` nor `configured` says anything about.
pub(crate) fn with_local_upstreams(mut vars: Vec<Var>, configured: &[String], local: &str) -> Vec<Var> {
    for (vendor, path) in [("OPENAI", "openai/v1"), ("ANTHROPIC", "anthropic")] {
        let (base_url, api_key) = (format!("{vendor}_BASE_URL"), format!("{vendor}_API_KEY"));
        let given =
            |key: &str| vars.iter().any(|var| var.key == key) || configured.iter().any(|name| name == key);
        if given(&api_key) {
            continue;
        }
        if !given(&base_url) {
            vars.push(Var {
                key: base_url,
                value: format!("{local}/{path}"),
            });
        } else if !vars
            .iter()
            .any(|var| var.key == base_url && is_loopback(&var.value))
        {
            // A vendor's real address without a key: the Worker says what is missing.
            continue;
        }
        vars.push(Var {
            key: api_key,
            value: "local".to_owned(),
        });
    }
    vars
}

fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "http://127.0.0.1:9900";

    fn resolved(given: &[&str], configured: &[&str]) -> Vec<String> {
        let vars = given.iter().map(|var| var.parse().unwrap()).collect();
        let configured: Vec<String> = configured.iter().map(ToString::to_string).collect();
        let vars = with_local_upstreams(vars, &configured, LOCAL);
        vars.into_iter()
            .filter(|var| var.key.starts_with("OPENAI"))
            .map(|var| format!("{}={}", var.key, var.value))
            .collect()
    }

    #[test]
    fn a_value_may_hold_anything() {
        let var: Var = "URL=http://x/?a=b c".parse().unwrap();
        assert_eq!((var.key.as_str(), var.value.as_str()), ("URL", "http://x/?a=b c"));
        assert_eq!("EMPTY=".parse::<Var>().unwrap().value, "");
    }

    #[test]
    fn a_malformed_variable_is_told_what_is_wrong() {
        assert!("KEY".parse::<Var>().unwrap_err().contains("--var KEY=value"));
        for text in ["=x", "1KEY=x", "A-B=x", "A B=x"] {
            assert!(text.parse::<Var>().unwrap_err().contains("is no name"), "{text}");
        }
    }

    #[test]
    fn with_nothing_given_the_stand_ins_answer() {
        assert_eq!(
            resolved(&[], &[]),
            [
                "OPENAI_BASE_URL=http://127.0.0.1:9900/openai/v1",
                "OPENAI_API_KEY=local"
            ]
        );
        let all = with_local_upstreams(Vec::new(), &[], LOCAL);
        assert!(
            all.contains(
                &"ANTHROPIC_BASE_URL=http://127.0.0.1:9900/anthropic"
                    .parse()
                    .unwrap()
            )
        );
        assert!(all.contains(&"ANTHROPIC_API_KEY=local".parse().unwrap()));
    }

    #[test]
    fn what_is_given_stays() {
        assert_eq!(resolved(&["OPENAI_API_KEY=sk"], &[]), ["OPENAI_API_KEY=sk"]);
        assert_eq!(
            resolved(&["OPENAI_BASE_URL=https://example.com/v1"], &[]),
            ["OPENAI_BASE_URL=https://example.com/v1"]
        );
        assert_eq!(resolved(&[], &["OPENAI_API_KEY"]), Vec::<String>::new());
    }

    #[test]
    fn an_address_on_this_machine_needs_no_key() {
        for url in [
            "http://localhost:11434/v1",
            "http://127.0.0.1:1/",
            "http://[::1]:80",
        ] {
            let var = format!("OPENAI_BASE_URL={url}");
            assert_eq!(
                resolved(&[&var], &[]),
                [var.clone(), "OPENAI_API_KEY=local".to_owned()]
            );
        }
    }
}
