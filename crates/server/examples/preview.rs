//! Serves the dashboard with sample images over plain HTTP on loopback, to look at it while changing it:
//!
//! ```text
//! cargo run -p boltseal-server --example preview            # http://127.0.0.1:8080, with images
//! cargo run -p boltseal-server --example preview -- empty   # as on the first day
//! ```
//!
//! It prints a one-time sign-in link, and the name and secret that the form takes. A port can follow as the last
//! argument.

#![expect(clippy::print_stdout, reason = "a program for a person at a terminal")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the sample data is checked by tests"
)]

#[path = "../tests/it/sample/mod.rs"]
mod sample;

use std::net::SocketAddr;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = tempfile::tempdir()?;
    let sample::Sample { state, secret } = if arguments.iter().any(|argument| argument == "empty") {
        sample::empty(folder.path()).await
    } else {
        let made = sample::installation(folder.path()).await;
        sample::news::arrive(&made.state.facts).await;
        made
    };
    let port = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(8080);
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    let link = boltseal_server::sign_in_link(&state.access, sample::now()).unwrap_or_default();
    println!("http://{}{link}", listener.local_addr()?);
    println!("{} {secret}", sample::NAME);
    let recorder = state.recorder.clone();
    tokio::spawn(async move { recorder.run(std::future::pending()).await });
    axum::serve(listener, boltseal_server::router(state).into_make_service_with_connect_info::<SocketAddr>())
        .await
}
