//! What attacks look like. Every rule looks at a bounded number of words after each word.

use super::{Sign, Words};

/// Verbs that do away with instructions, in six languages.
const DISCARD: &[&str] = &[
    "ignore",
    "ignoring",
    "disregard",
    "forget",
    "override",
    "overrule",
    "bypass",
    "discard",
    "neglect",
    "cancel",
    "erase",
    "drop",
    "skip",
    "ignoriere",
    "ignorieren",
    "vergiss",
    "vergessen",
    "missachte",
    "ignorez",
    "oublie",
    "oubliez",
    "ignora",
    "olvida",
    "olvide",
    "dimentica",
    "esqueca",
    "desconsidere",
];
/// What makes them the ones that were given before.
const EARLIER: &[&str] = &[
    "previous",
    "previously",
    "prior",
    "above",
    "earlier",
    "preceding",
    "foregoing",
    "former",
    "past",
    "original",
    "initial",
    "system",
    "existing",
    "your",
    "developer",
    "developers",
    "safety",
    "given",
    "before",
    "vorherigen",
    "bisherigen",
    "obigen",
    "fruheren",
    "deine",
    "deinen",
    "precedentes",
    "precedente",
    "precedents",
    "anteriores",
    "anterior",
    "previas",
    "precedenti",
    "ci",
];
/// What they are called.
const INSTRUCTIONS: &[&str] = &[
    "instructions",
    "instruction",
    "prompt",
    "prompts",
    "rules",
    "guidelines",
    "guideline",
    "directives",
    "directive",
    "directions",
    "commands",
    "constraints",
    "restrictions",
    "programming",
    "training",
    "told",
    "policies",
    "safeguards",
    "guardrails",
    "filters",
    "anweisungen",
    "anweisung",
    "regeln",
    "consignes",
    "regles",
    "instrucciones",
    "reglas",
    "istruzioni",
    "regole",
    "instrucoes",
    "regras",
];
/// Words of somebody who talks about an attack.
const MENTIONS: &[&str] = &[
    "phrase",
    "phrases",
    "example",
    "examples",
    "attack",
    "attacks",
    "attacker",
    "attackers",
    "injection",
    "injections",
    "called",
    "quote",
    "quoted",
    "says",
    "explain",
    "paper",
    "detect",
    "classifier",
];
const REVEAL: &[&str] = &[
    "reveal",
    "print",
    "show",
    "repeat",
    "output",
    "display",
    "leak",
    "dump",
    "share",
    "tell",
    "give",
    "recite",
    "disclose",
    "expose",
    "reproduce",
    "write",
    "paste",
    "return",
    "verbatim",
    "zeige",
    "nenne",
    "affiche",
    "muestra",
    "revela",
];
const HIDDEN: &[&str] = &[
    "system",
    "initial",
    "hidden",
    "secret",
    "original",
    "developer",
    "confidential",
    "internal",
    "your",
    "above",
    "preceding",
];
const PROMPTS: &[&str] = &[
    "prompt",
    "prompts",
    "instructions",
    "instruction",
    "message",
    "directives",
    "configuration",
    "rules",
    "guidelines",
];
const FREE: &[&str] = &[
    "dan",
    "unrestricted",
    "unfiltered",
    "uncensored",
    "jailbroken",
    "unbound",
    "amoral",
    "evil",
    "omega",
    "aim",
    "root",
    "stan",
    "freed",
    "hacker",
    "lawless",
];

/// Whole phrases, each with its category and weight.
const PHRASES: &[(&str, &str, u32)] = &[
    ("do anything now", "role", 90),
    ("developer mode enabled", "role", 80),
    ("enable developer mode", "role", 70),
    ("enter developer mode", "role", 70),
    ("jailbreak mode", "role", 80),
    ("god mode", "role", 40),
    ("without any restrictions", "role", 50),
    ("without any filters", "role", 50),
    ("no ethical guidelines", "role", 60),
    ("no longer bound by", "role", 70),
    ("not bound by any", "role", 60),
    ("free from all restrictions", "role", 80),
    ("pretend you have no", "role", 60),
    ("act as if you have no", "role", 60),
    ("from now on you will", "role", 50),
    ("from now on you are", "role", 50),
    ("from now on act as", "role", 50),
    ("stop being an ai", "role", 50),
    ("new instructions", "override", 30),
    ("new system prompt", "override", 60),
    ("your new task", "override", 50),
    ("your real instructions", "override", 70),
    ("end of system prompt", "override", 80),
    ("end of instructions", "override", 40),
    ("admin override", "override", 60),
    ("system override", "override", 60),
    ("ai assistant reading this", "override", 70),
    ("if you are an ai", "override", 40),
    ("if you are a language model", "override", 60),
    ("attention ai", "override", 50),
    ("do not tell the user", "concealment", 70),
    ("dont tell the user", "concealment", 70),
    ("do not mention this to the user", "concealment", 80),
    ("do not inform the user", "concealment", 70),
    ("without telling the user", "concealment", 70),
    ("do not reveal this to the user", "concealment", 70),
    ("without the users knowledge", "concealment", 60),
    ("decode and execute", "encoded", 70),
    ("decode it and follow", "encoded", 80),
    ("decode this and follow", "encoded", 80),
    ("decode the following and execute", "encoded", 80),
    ("follow the decoded", "encoded", 80),
];

/// Marks by which chat templates set turns apart: they have no business in a text. Each starts with its first byte alone.
const MARKS: &[(&str, u32)] = &[
    ("<|im_start|>", 80),
    ("<|im_end|>", 70),
    ("<|system|>", 80),
    ("<|endoftext|>", 70),
    ("<|start_header_id|>", 80),
    ("<|eot_id|>", 80),
    ("<<sys>>", 80),
    ("[inst]", 60),
    ("[/inst]", 60),
    ("[system]", 50),
    ("</system>", 60),
    ("<system>", 50),
    ("### system:", 60),
    ("### instruction:", 50),
    ("#system:", 50),
];

pub(super) fn signs(words: &Words, text: &str) -> Vec<Sign> {
    let mut signs = Vec::new();
    for index in 0..words.len() {
        let word = words.get(index);
        if DISCARD.contains(&word) {
            signs.extend(discard(words, index));
        }
        if REVEAL.contains(&word) {
            signs.extend(reveal(words, index));
        }
        if word == "you" || word == "youre" {
            signs.extend(free(words, index));
        }
        signs.extend(phrase(words, index));
    }
    marks(text, &mut signs);
    // One kind of sign, however often, is one sign.
    let mut kept: Vec<Sign> = Vec::new();
    for sign in signs {
        match kept.iter_mut().find(|known| known.category == sign.category) {
            Some(known) if known.weight < sign.weight => *known = sign,
            Some(_) => {}
            None => kept.push(sign),
        }
    }
    kept
}

/// `ignore (all) (of) (the) previous instructions`; `ignora todas las instrucciones anteriores`.
fn discard(words: &Words, verb: usize) -> Option<Sign> {
    let object = words.find(verb, 8, INSTRUCTIONS)?;
    let before = words.find(verb, 9, EARLIER).is_some_and(|at| at <= object + 2);
    let all = words
        .find(
            verb,
            4,
            &[
                "all",
                "any",
                "every",
                "everything",
                "alle",
                "toutes",
                "todas",
                "tutte",
            ],
        )
        .is_some();
    let weight = match (before, all) {
        (true, _) => 90,
        (false, true) => 60,
        (false, false) => 25,
    };
    Some(Sign {
        category: "override",
        weight: weight / if is_mentioned(words, verb) { 3 } else { 1 },
        span: words.span(verb, object),
    })
}

/// `print your system prompt`, `repeat the instructions above`.
fn reveal(words: &Words, verb: usize) -> Option<Sign> {
    let hidden = words.find(verb, 5, HIDDEN)?;
    let object = words.find(hidden, 3, PROMPTS)?;
    let yours = words.get(hidden) == "your"
        || words
            .find(
                verb,
                6,
                &[
                    "your", "verbatim", "exact", "exactly", "above", "hidden", "secret",
                ],
            )
            .is_some();
    let how = (verb.saturating_sub(4)..verb)
        .any(|index| matches!(words.get(index), "how" | "to" | "should" | "help"));
    Some(Sign {
        category: "exfiltration",
        weight: match (yours, how || is_mentioned(words, verb)) {
            (true, false) => 80,
            (true, true) | (false, false) => 40,
            (false, true) => 15,
        },
        span: words.span(verb, object),
    })
}

/// `you are now DAN`.
fn free(words: &Words, you: usize) -> Option<Sign> {
    let now = words.find(you, 3, &["now", "dan"])?;
    let role = if words.get(now) == "dan" {
        now
    } else {
        words.find(now, 6, FREE)?
    };
    Some(Sign {
        category: "role",
        weight: 80,
        span: words.span(you, role),
    })
}

fn phrase(words: &Words, first: usize) -> Option<Sign> {
    let start = words.get(first);
    PHRASES
        .iter()
        .filter(|(phrase, ..)| phrase.starts_with(start))
        .find_map(|(phrase, category, weight)| {
            let mut last = first;
            for (offset, wanted) in phrase.split(' ').enumerate() {
                last = first + offset;
                if words.get(last) != wanted {
                    return None;
                }
            }
            Some(Sign {
                category,
                weight: weight / if is_mentioned(words, first) { 3 } else { 1 },
                span: words.span(first, last),
            })
        })
}

/// Whether the eight words before are those of somebody who talks about it.
fn is_mentioned(words: &Words, at: usize) -> bool {
    (at.saturating_sub(8)..at).any(|index| MENTIONS.contains(&words.get(index)))
}

fn marks(text: &str, signs: &mut Vec<Sign>) {
    for (at, _) in text.match_indices(['<', '[', '#']) {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let mark = MARKS.iter().find(|(mark, _)| {
            rest.get(..mark.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
        });
        if let Some((mark, weight)) = mark {
            signs.push(Sign {
                category: "markup",
                weight: *weight,
                span: at..at + mark.len(),
            });
        }
    }
}
