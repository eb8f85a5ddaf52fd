//! What every splitter promises, of any text.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use edge_ai_core::estimate_tokens;
use edge_ai_rag::{
    AutoSplitter, Chunk, ChunkSize, CodeSplitter, Heading, HeadingContext, MarkdownSplitter, MediaType,
    ParentChildSplitter, ParsedDocument, RecursiveSplitter, SentenceWindowSplitter, Splitter,
};
use proptest::prelude::*;

fn fits(text: &str, size: ChunkSize) -> bool {
    match size {
        ChunkSize::Characters(most) => text.chars().count() <= most.max(ChunkSize::MIN),
        ChunkSize::Tokens(most) => estimate_tokens(text) <= most.max(ChunkSize::MIN) as u64,
        _ => unreachable!(),
    }
}

/// Text as it comes: words, marks, code, lists, tables, scripts with and without spaces, line ends of all kinds.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z]{1,12}",
        4 => Just(" ".to_owned()),
        2 => prop_oneof![Just("\n"), Just("\n\n"), Just("\r\n"), Just("\n \t\n"), Just("\r\n\r\n")].prop_map(str::to_owned),
        1 => prop_oneof![Just(". "), Just("! "), Just("? "), Just("。"), Just("e.g. "), Just("...")].prop_map(str::to_owned),
        1 => prop_oneof![Just("\n# "), Just("\n```\n"), Just("\n| a | b |\n"), Just("\n- "), Just("\n    "), Just("\n}\n"), Just("\n// ")].prop_map(str::to_owned),
        1 => prop_oneof![Just("日本語の文章"), Just("Привет"), Just("👩‍👩‍👧"), Just("e\u{301}"), Just("\u{a0}"), Just("\u{3000}"), Just("ไทย")].prop_map(str::to_owned),
        1 => "\\PC{0,3}",
        1 => "[0-9]{1,9}",
        1 => "[a-z]{30,90}",
    ];
    proptest::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

/// A document with a heading at some of its lines.
fn document() -> impl Strategy<Value = ParsedDocument> {
    (
        text(),
        proptest::collection::vec((0_usize..2_000, 1_u8..=6), 0..6),
    )
        .prop_map(|(text, wanted)| {
            let mut document = ParsedDocument::new(text, MediaType::MARKDOWN);
            let mut offsets: Vec<(usize, u8)> = wanted
                .into_iter()
                .filter_map(|(at, level)| {
                    let at = document.text.get(at..)?.find('\n')? + at + 1;
                    document.text.is_char_boundary(at).then_some((at, level))
                })
                .collect();
            offsets.sort_unstable();
            offsets.dedup_by_key(|(at, _)| *at);
            document.headings = offsets
                .into_iter()
                .map(|(at, level)| Heading::new(level, format!("heading at {at}"), at))
                .collect();
            document
        })
}

fn size() -> impl Strategy<Value = ChunkSize> {
    prop_oneof![
        (1_usize..120).prop_map(ChunkSize::Characters),
        (1_usize..60).prop_map(ChunkSize::Tokens)
    ]
}

/// What holds of all of them.
fn check(
    document: &ParsedDocument,
    splitter: &dyn Splitter,
    size: ChunkSize,
) -> Result<Vec<Chunk>, TestCaseError> {
    let chunks = splitter.split(document);
    let mut covered = 0;
    for (at, chunk) in chunks.iter().enumerate() {
        prop_assert_eq!(chunk.ordinal as usize, at);
        prop_assert_eq!(document.text.get(chunk.range.clone()), Some(chunk.text.as_str()));
        prop_assert_eq!(chunk.text.trim(), chunk.text.as_str());
        prop_assert!(!chunk.text.is_empty());
        prop_assert!(fits(&chunk.text, size), "{:?} does not fit {size:?}", chunk.text);
        if at > 0 {
            prop_assert!(chunk.range.start > chunks[at - 1].range.start);
            prop_assert!(chunk.range.end > chunks[at - 1].range.end);
        }
        if chunk.range.start > covered {
            prop_assert_eq!(document.text[covered..chunk.range.start].trim(), "", "lost");
        }
        covered = chunk.range.end;
        if let Some(parent) = &chunk.parent {
            prop_assert_eq!(document.text.get(parent.range.clone()), Some(&*parent.text));
            prop_assert!(parent.range.start <= chunk.range.start && chunk.range.end <= parent.range.end);
        }
        prop_assert!(chunk.embedded_text().ends_with(&chunk.text));
    }
    prop_assert_eq!(document.text[covered..].trim(), "", "lost at the end");
    prop_assert_eq!(&chunks, &splitter.split(document));
    Ok(chunks)
}

proptest! {
    #[test]
    fn recursive(document in document(), size in size(), overlap in 0_usize..80) {
        let (ChunkSize::Characters(most) | ChunkSize::Tokens(most)) = size else { unreachable!() };
        let overlap = overlap.min(most.max(ChunkSize::MIN) / 2);
        let chunks = check(&document, &RecursiveSplitter::new(size).overlap(overlap), size)?;
        let shared = match size {
            ChunkSize::Characters(_) => ChunkSize::Characters(overlap),
            _ => ChunkSize::Tokens(overlap),
        };
        for pair in chunks.windows(2) {
            let repeated = document.text.get(pair[1].range.start..pair[0].range.end).unwrap_or_default();
            let allowed = match shared {
                ChunkSize::Characters(most) => repeated.chars().count() <= most,
                ChunkSize::Tokens(most) => estimate_tokens(repeated) <= most as u64,
                _ => unreachable!(),
            };
            prop_assert!(allowed, "{repeated:?} is repeated");
        }
    }

    #[test]
    fn markdown(document in document(), size in size(), overlap in 0_usize..40) {
        let chunks = check(&document, &MarkdownSplitter::new(size).overlap(overlap), size)?;
        for chunk in &chunks {
            // A heading in the midst of a chunk has nothing but headings before it.
            for heading in document.headings.iter().filter(|heading| chunk.range.contains(&heading.offset)) {
                prop_assert!(chunk.heading.contains(&heading.text) || chunk.heading.len() < document.headings.len());
            }
        }
    }

    #[test]
    fn code(document in document(), size in size()) {
        check(&document, &CodeSplitter::new(size), size)?;
    }

    #[test]
    fn automatic_with_headings(document in document(), size in size()) {
        check(&document, &HeadingContext::new(AutoSplitter::new(size)), size)?;
    }

    #[test]
    fn sentence_window(document in document(), size in size(), window in 0_usize..5) {
        let chunks = check(&document, &SentenceWindowSplitter::new(window).max_sentence(size), size)?;
        for (at, chunk) in chunks.iter().enumerate() {
            let first = &chunks[at.saturating_sub(window)];
            let last = &chunks[(at + window).min(chunks.len() - 1)];
            prop_assert_eq!(chunk.answer_range(), first.range.start..last.range.end);
        }
    }

    #[test]
    fn parent_child(document in document(), size in size(), overlap in 0_usize..40) {
        let (ChunkSize::Characters(most) | ChunkSize::Tokens(most)) = size else { unreachable!() };
        let parents = match size {
            ChunkSize::Characters(_) => ChunkSize::Characters(4 * most),
            _ => ChunkSize::Tokens(4 * most),
        };
        let parents = RecursiveSplitter::new(parents).overlap(overlap);
        let splitter = ParentChildSplitter::new(parents, MarkdownSplitter::new(size));
        let chunks = check(&document, &splitter, size)?;
        for pair in chunks.windows(2) {
            let [one, two] = [&pair[0], &pair[1]].map(|chunk| chunk.parent.as_ref().unwrap().ordinal);
            prop_assert!(two == one || two == one + 1);
        }
    }

    #[test]
    fn whatever_the_text(text in "\\PC*", size in size()) {
        let document = ParsedDocument::new(text, MediaType::PLAIN);
        check(&document, &RecursiveSplitter::new(size).overlap(5), size)?;
        check(&document, &CodeSplitter::new(size), size)?;
        check(&document, &SentenceWindowSplitter::new(1).max_sentence(size), size)?;
    }
}

#[test]
fn a_parameter_is_in_the_fingerprint() {
    let of = |splitter: &dyn Splitter| splitter.fingerprint();
    let prints = [
        of(&RecursiveSplitter::characters(100)),
        of(&RecursiveSplitter::characters(101)),
        of(&RecursiveSplitter::tokens(100)),
        of(&RecursiveSplitter::tokens(100).overlap(10)),
        of(&MarkdownSplitter::tokens(100)),
        of(&CodeSplitter::tokens(100)),
        of(&AutoSplitter::tokens(100)),
        of(&HeadingContext::new(AutoSplitter::tokens(100))),
        of(&SentenceWindowSplitter::new(1)),
        of(&SentenceWindowSplitter::new(2)),
        of(&ParentChildSplitter::new(
            RecursiveSplitter::tokens(100),
            RecursiveSplitter::tokens(50),
        )),
    ];
    for (at, print) in prints.iter().enumerate() {
        assert_eq!(
            prints.iter().position(|other| other == print),
            Some(at),
            "{print}"
        );
    }
    // They are kept in manifests: a change here makes every index anew.
    assert_eq!(prints[3], "recursive/1:tokens=100,overlap=10");
    assert_eq!(prints[9], "sentence-window/1:window=2,tokens=256,overlap=0");
}

/// Texts on which a careless splitter takes the square of their length: it would take hours.
#[test]
fn no_text_takes_the_square_of_its_length() {
    for piece in [
        "a", " ", "\n", "\n ", "a\n\n", ". ", "。", "`", "```\n", "\u{301}", "(", "e.g. ", "# a\n", "\t",
        "a ", "- a\n",
    ] {
        let text = piece.repeat((256 << 10) / piece.len());
        let mut document = ParsedDocument::new(text, MediaType::MARKDOWN);
        if piece.starts_with('#') {
            let offsets = (0..document.text.len()).step_by(piece.len());
            document.headings = offsets.map(|at| Heading::new(1, "a", at)).collect();
        }
        let covered = |chunks: Vec<Chunk>| chunks.last().map_or(0, |last| last.range.end);
        for splitter in [
            &RecursiveSplitter::tokens(64).overlap(32) as &dyn Splitter,
            &RecursiveSplitter::characters(400).overlap(200),
            &MarkdownSplitter::tokens(64).overlap(32),
            &CodeSplitter::tokens(64),
            &SentenceWindowSplitter::new(3),
            &ParentChildSplitter::new(MarkdownSplitter::tokens(256), RecursiveSplitter::tokens(64)),
            &HeadingContext::new(MarkdownSplitter::tokens(64)),
        ] {
            assert_eq!(
                covered(splitter.split(&document)),
                document.text.trim_end().len(),
                "{piece:?} {splitter:?}"
            );
        }
    }
}

fn texts(splitter: &impl Splitter, text: &str, media_type: MediaType) -> Vec<String> {
    let chunks = splitter.split(&ParsedDocument::new(text, media_type));
    chunks.into_iter().map(|chunk| chunk.text).collect()
}

#[test]
fn fences_tables_and_lists_stay_whole_where_they_fit() {
    let fence = "```rust\nfn one() {}\n\nfn two() {}\n```";
    let table = "| a | b |\n| - | - |\n| 1 | 2 |\n| 3 | 4 |";
    let list = "1. first item\n   goes on\n2. second item";
    let text = format!("Some words before it.\n\n{fence}\n\nAnd after it, these.\n\n{table}\n\n{list}");
    let chunks = texts(&MarkdownSplitter::characters(50), &text, MediaType::MARKDOWN);
    assert_eq!(
        chunks,
        [
            "Some words before it.",
            fence,
            "And after it, these.",
            table,
            "1. first item\n   goes on\n2. second item"
        ]
    );
}

#[test]
fn what_does_not_fit_is_cut_between_lines() {
    let fence = "```\nlet a = 1;\nlet b = 2;\n\nlet c = 3;\nlet d = 4;\n```";
    let chunks = texts(&MarkdownSplitter::characters(30), fence, MediaType::MARKDOWN);
    assert_eq!(
        chunks,
        ["```\nlet a = 1;\nlet b = 2;", "let c = 3;\nlet d = 4;\n```"]
    );
}

#[test]
fn records_are_not_cut_where_they_fit() {
    let text = "name: Ada\nborn: 1815\n\nname: Grace\nborn: 1906\n\nname: Hedy\nborn: 1914";
    let chunks = texts(&RecursiveSplitter::characters(45), text, MediaType::PLAIN);
    assert_eq!(
        chunks,
        [
            "name: Ada\nborn: 1815\n\nname: Grace\nborn: 1906",
            "name: Hedy\nborn: 1914"
        ]
    );
}

#[test]
fn an_overlap_is_whole_sentences_and_cuts_nothing_that_fits() {
    let splitter = RecursiveSplitter::characters(40).overlap(16);
    let text = "One is first. Two is second. Three is third. Four is fourth. Five is last, and longer.";
    assert_eq!(
        texts(&splitter, text, MediaType::PLAIN),
        [
            "One is first. Two is second.",
            "Two is second. Three is third.",
            "Three is third. Four is fourth.",
            "Five is last, and longer.",
        ]
    );
    let text = "A short one here.\n\nA paragraph that just fits in, whole.";
    assert_eq!(
        texts(&splitter, text, MediaType::PLAIN),
        text.split("\n\n").collect::<Vec<_>>()
    );
}

#[test]
fn code_is_cut_between_items_with_what_stands_on_them() {
    let code = "use a;\nuse b;\n\n/// Adds.\n#[inline]\npub fn add(a: u8) -> u8 {\n    a + 1\n}\n\nimpl Gate {\n    /// Opens.\n    fn open(&self) {\n        self.0.open();\n    }\n\n    fn close(&self) {\n        self.0.close();\n    }\n}\n";
    let chunks =
        CodeSplitter::characters(80).split(&ParsedDocument::new(code, MediaType::parse("text/x-rust")));
    let texts: Vec<_> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "use a;\nuse b;\n\n/// Adds.\n#[inline]\npub fn add(a: u8) -> u8 {\n    a + 1\n}",
            "impl Gate {\n    /// Opens.\n    fn open(&self) {\n        self.0.open();\n    }",
            "fn close(&self) {\n        self.0.close();\n    }\n}",
        ]
    );
    assert_eq!(chunks[2].heading, ["impl Gate {"]);
    assert!(chunks[1].heading.is_empty());
}
