//! Splitters beside the crate `text-splitter`; LangChain's is measured by `split.py`, in the same run on the same text.

use std::hint::black_box;
use std::time::Instant;

use edge_ai_core::estimate_tokens;
use edge_ai_rag::{
    CodeSplitter, Document, DocumentId, MarkdownParser, MarkdownSplitter, MediaType, ParsedDocument,
    RecursiveSplitter, SentenceWindowSplitter, Splitter,
};
use text_splitter::{ChunkConfig, ChunkSizer, MarkdownSplitter as PeerMarkdown, TextSplitter};
use tiktoken_rs::CoreBPE;

const ROUNDS: usize = 5;
const CHARACTERS: usize = 1_024;
const TOKENS: usize = 256;

/// Prints a line for each way of splitting: megabytes a second, ours and the peer's, and the ratio.
///
/// The text is the file at `path`: Markdown, which every splitter gets.
pub(crate) fn print(path: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    println!(
        "{} bytes of Markdown, chunks of {CHARACTERS} characters or {TOKENS} tokens",
        text.len()
    );
    println!(
        "{:<58} {:>10} {:>10} {:>9}",
        "what (ours beside the peer)", "ours", "peer", "ratio"
    );

    let plain = ParsedDocument::new(text.clone(), MediaType::PLAIN);
    let ours = |splitter: &dyn Splitter| splitter.split(&plain).len();
    let line = |name: &str, ours: &mut dyn FnMut() -> usize, peer: &mut dyn FnMut() -> usize, part: usize| {
        pair(name, text.len(), ours, part, peer);
    };

    let recursive = RecursiveSplitter::characters(CHARACTERS);
    let peer = TextSplitter::new(CHARACTERS);
    line(
        "recursive, characters / text-splitter",
        &mut || ours(&recursive),
        &mut || peer.chunks(&text).map(str::to_owned).count(),
        text.len(),
    );

    let markdown = MarkdownSplitter::characters(CHARACTERS);
    let peer = PeerMarkdown::new(CHARACTERS);
    line(
        "Markdown with parsing, characters / text-splitter",
        &mut || parse(&text).map_or(0, |parsed| markdown.split(&parsed).len()),
        &mut || peer.chunks(&text).map(str::to_owned).count(),
        text.len(),
    );

    let tokens = RecursiveSplitter::tokens(TOKENS);
    let peer = TextSplitter::new(ChunkConfig::new(TOKENS).with_sizer(Estimate));
    line(
        "recursive, our estimate of tokens / text-splitter, the same",
        &mut || ours(&tokens),
        &mut || peer.chunks(&text).map(str::to_owned).count(),
        text.len(),
    );

    // The whole would take minutes.
    let part = text.floor_char_boundary(text.len().min(256 << 10));
    let short = text.get(..part).unwrap_or_default();
    let bpe: CoreBPE = tiktoken_rs::cl100k_base().map_err(|error| error.to_string())?;
    let peer = TextSplitter::new(ChunkConfig::new(TOKENS).with_sizer(bpe));
    line(
        "recursive, our estimate / text-splitter, tiktoken (exact)",
        &mut || ours(&tokens),
        &mut || peer.chunks(short).map(str::to_owned).count(),
        part,
    );

    let code = CodeSplitter::tokens(TOKENS);
    alone("code, tokens", text.len(), &mut || ours(&code));
    let sentences = SentenceWindowSplitter::new(2);
    alone("sentence windows of 5", text.len(), &mut || ours(&sentences));
    Ok(())
}

fn parse(text: &str) -> edge_ai_core::Result<ParsedDocument> {
    let document = Document::new(DocumentId::new("text")?, MediaType::MARKDOWN, text.to_owned());
    MarkdownParser::default().read(&document)
}

/// Our estimate as the peer's size.
struct Estimate;

impl ChunkSizer for Estimate {
    fn size(&self, chunk: &str) -> usize {
        usize::try_from(estimate_tokens(chunk)).unwrap_or(usize::MAX)
    }
}

fn pair(
    name: &str,
    bytes: usize,
    ours: &mut dyn FnMut() -> usize,
    part: usize,
    peer: &mut dyn FnMut() -> usize,
) {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        rounds.push((speed(bytes, ours), speed(part, peer)));
    }
    let middle = |pick: fn(&(f64, f64)) -> f64| median(rounds.iter().map(pick).collect());
    let (ours, peer, ratio) = (
        middle(|round| round.0),
        middle(|round| round.1),
        middle(|round| round.0 / round.1),
    );
    println!("{name:<58} {ours:>5.1} MB/s {peer:>5.1} MB/s {ratio:>8.1}x");
}

fn alone(name: &str, bytes: usize, ours: &mut dyn FnMut() -> usize) {
    let ours = median((0..ROUNDS).map(|_| speed(bytes, ours)).collect());
    println!("{name:<58} {ours:>5.1} MB/s");
}

/// In megabytes a second.
fn speed(bytes: usize, work: &mut dyn FnMut() -> usize) -> f64 {
    let start = Instant::now();
    black_box(work());
    bytes as f64 / 1e6 / start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
