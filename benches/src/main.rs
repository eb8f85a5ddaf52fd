//! Measures the pure parts of edge-ai beside the libraries that do the same: `cargo xtask bench`. With `limit-leases`, simulates leases instead.
//!
//! Each pair runs in turns, round after round, so that whatever else the machine does meets both. A line gives the median time of one
//! operation for each, and the median of the rounds' ratios: over 1.0 we are faster.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![cfg_attr(
    any(feature = "semantic", feature = "split"),
    expect(clippy::print_stderr, reason = "a program's own messages")
)]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the machine's clock")]

mod leases;
mod limits;
mod measure;
#[cfg(feature = "semantic")]
mod semantic;
#[cfg(feature = "split")]
mod split;
mod streams;

use measure::Pair;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("limit-leases") {
        print!("{}", leases::table());
        return;
    }
    #[cfg(feature = "semantic")]
    if let [_, name, model, paraphrases] = std::env::args().collect::<Vec<_>>().as_slice()
        && name == "semantic"
    {
        match semantic::table(model.as_ref(), paraphrases.as_ref()) {
            Ok(table) => print!("{table}"),
            Err(problem) => {
                eprintln!("{problem}");
                std::process::exit(1);
            }
        }
        return;
    }
    #[cfg(feature = "split")]
    if let [_, name, path] = std::env::args().collect::<Vec<_>>().as_slice()
        && name == "split"
    {
        if let Err(problem) = split::print(path) {
            eprintln!("{problem}");
            std::process::exit(1);
        }
        return;
    }
    println!(
        "{:<44} {:>11} {:>11} {:>7}",
        "what (ours beside the peer)", "ours", "peer", "ratio"
    );
    let pairs: Vec<Pair> = limits::pairs().into_iter().chain(streams::pairs()).collect();
    for mut pair in pairs {
        println!("{}", pair.run());
    }
}
