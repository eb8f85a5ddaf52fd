//! The program: see the library's documentation.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use edge_ai_local::Server;
use edge_ai_local::cli::Args;
use tokio::io::AsyncReadExt as _;
use tokio::signal;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "a program's own messages")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let server = match Server::bind(args.config()).await {
        Ok(server) => server,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            eprintln!(
                "edge-ai-local: port {} is taken; choose another with --port, or --port 0",
                args.port
            );
            return ExitCode::FAILURE;
        }
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            eprintln!("edge-ai-local: {error}");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("edge-ai-local: cannot listen on 127.0.0.1:{}: {error}", args.port);
            return ExitCode::FAILURE;
        }
    };
    eprint!("{}", server.banner());
    let mut stdout = std::io::stdout();
    // A reader that is gone already is no reason to stop.
    let _ = writeln!(stdout, "{}", server.ready_line()).and_then(|()| stdout.flush());
    match server.serve(stop_asked(args.stop_on_stdin_eof)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("edge-ai-local: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn stop_asked(on_stdin_eof: bool) {
    tokio::select! {
        _ = signal::ctrl_c() => {}
        () = terminated() => {}
        () = stdin_ended(), if on_stdin_eof => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    match signal::unix::signal(signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

async fn stdin_ended() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0; 256];
    while !matches!(stdin.read(&mut buffer).await, Ok(0) | Err(_)) {}
}
