use crate::matcher::{Found, Sight, Step, Tail};

/// A set of characters.
type CharSet = fn(char) -> bool;

/// The shape of a vendor's keys: how they start, what they are made of, and how many characters there are at least after the start.
struct Shape {
    category: &'static str,
    prefix: &'static str,
    set: CharSet,
    at_least: usize,
}

const fn shape(category: &'static str, prefix: &'static str, set: CharSet, at_least: usize) -> Shape {
    Shape {
        category,
        prefix,
        set,
        at_least,
    }
}

fn alnum(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

fn url_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn dotted(c: char) -> bool {
    url_safe(c) || c == '.'
}

fn upper(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

fn path(c: char) -> bool {
    alnum(c) || c == '/'
}

/// From the vendors' documentation, and GitHub's list of what its secret scanning finds:
/// <https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns>. A longer prefix comes before
/// one that it starts with.
const SHAPES: [Shape; 34] = [
    shape("anthropic_key", "sk-ant-", url_safe, 20),
    shape("openrouter_key", "sk-or-", url_safe, 20),
    shape("openai_key", "sk-", url_safe, 20),
    shape("stripe_key", "sk_live_", alnum, 16),
    shape("stripe_key", "sk_test_", alnum, 16),
    shape("stripe_key", "rk_live_", alnum, 16),
    shape("webhook_secret", "whsec_", alnum, 16),
    shape("github_token", "github_pat_", url_safe, 22),
    shape("github_token", "ghp_", alnum, 30),
    shape("github_token", "gho_", alnum, 30),
    shape("github_token", "ghu_", alnum, 30),
    shape("github_token", "ghs_", alnum, 30),
    shape("github_token", "ghr_", alnum, 30),
    shape("gitlab_token", "glpat-", url_safe, 20),
    shape("aws_access_key", "AKIA", upper, 16),
    shape("aws_access_key", "ASIA", upper, 16),
    shape("slack_token", "xoxb-", url_safe, 10),
    shape("slack_token", "xoxp-", url_safe, 10),
    shape("slack_token", "xoxa-", url_safe, 10),
    shape("slack_token", "xoxr-", url_safe, 10),
    shape("slack_token", "xoxs-", url_safe, 10),
    shape("slack_token", "xapp-", url_safe, 10),
    shape("slack_webhook", "hooks.slack.com/services/", path, 20),
    shape("google_key", "AIza", url_safe, 35),
    shape("google_token", "ya29.", url_safe, 20),
    shape("google_secret", "GOCSPX-", url_safe, 20),
    shape("groq_key", "gsk_", alnum, 40),
    shape("xai_key", "xai-", alnum, 40),
    shape("huggingface_token", "hf_", alnum, 30),
    shape("npm_token", "npm_", alnum, 30),
    shape("pypi_token", "pypi-AgE", url_safe, 40),
    shape("sendgrid_key", "SG.", dotted, 40),
    shape("digitalocean_token", "dop_v1_", alnum, 60),
    shape("json_web_token", "eyJ", dotted, 30),
];

pub(super) fn step(sight: &Sight<'_>) -> Step {
    if !sight.at_word_start() {
        return Step::No;
    }
    for shape in &SHAPES {
        let step = shape.step(sight);
        if !step.is_no() {
            return step;
        }
    }
    Step::No
}

impl Shape {
    fn step(&self, sight: &Sight<'_>) -> Step {
        let text = sight.text;
        let Some(rest) = text.strip_prefix(self.prefix) else {
            let begun = !sight.complete && self.prefix.starts_with(text);
            return if begun { Step::More } else { Step::No };
        };
        if self.category == "json_web_token" {
            return json_web_token(sight);
        }
        let len = rest
            .bytes()
            .take(self.at_least)
            .take_while(|byte| (self.set)(char::from(*byte)))
            .count();
        if len < self.at_least {
            let begun = !sight.complete && len == rest.len();
            return if begun { Step::More } else { Step::No };
        }
        let end = self.prefix.len() + len;
        Step::Match(Found::new(self.category, 0, end).with_tail(Tail::While(self.set)))
    }
}

/// Two base64 objects and a signature, with dots in between. The head of a token has at most 200 bytes here.
fn json_web_token(sight: &Sight<'_>) -> Step {
    const MAX_HEAD: usize = 200;
    let text = sight.text;
    let Some(dot) = sight.run(0, MAX_HEAD, url_safe) else {
        return Step::More;
    };
    let body = text.get(dot..).unwrap_or_default();
    if body.len() < 4 && ".eyJ".starts_with(body) && !sight.complete {
        return Step::More;
    }
    if dot < 10 || !body.starts_with(".eyJ") {
        return Step::No;
    }
    Step::Match(Found::new("json_web_token", 0, dot + 4).with_tail(Tail::While(dotted)))
}
