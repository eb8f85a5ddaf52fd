//! The repository's README shows the same program as the crate's, which is compiled.

/// The first Rust program of a text, without the lines that documentation hides.
fn program(markdown: &str) -> Vec<&str> {
    let lines = markdown
        .lines()
        .skip_while(|line| !line.starts_with("```rust"))
        .skip(1);
    lines
        .take_while(|line| *line != "```")
        .filter(|line| !line.starts_with("# "))
        .collect()
}

#[test]
fn the_repositorys_readme_shows_what_is_compiled() {
    let shown = program(include_str!("../../README.md"));
    assert!(!shown.is_empty());
    assert_eq!(shown, program(include_str!("../README.md")));
}
